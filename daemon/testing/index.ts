// index.ts: what tests of nodes import from 'corod/testing'.

export type { RunResult } from '../process/runtime.js'
export type { Recording, RecordingHead, RecordingLine } from '../record/format.js'
export { RecordingError, readRecording } from '../record/reader.js'
export type { RecordSink } from '../record/recorder.js'
export type { CliAnswer, CliFailure, CliOutput, CliScript } from './cli.js'
export type {
  AnswerCommand,
  CliCommand,
  Command,
  CountCommand,
  EnqueueCommand,
  PeerCommand,
  SignalCommand,
} from './commands.js'
export type { EventSetup, InterfaceState } from './events.js'
export { NodeKit, testNode } from './kit.js'
export type { LogLine } from './log.js'
export { OptionsError } from './options.js'
export type { PeerAnswer, PeerScript } from './peers.js'
export type { CallAnswer, PendingCall } from './questions.js'
export { type Replay, type ReplaySetup, replay, type Undelivered } from './replay.js'
export type { Callable, FieldsOf, NodeSetup, Sendable } from './setup.js'
