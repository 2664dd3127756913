// index.ts: what tests of nodes import from 'corod/testing'.

export type { Recording } from '../record/format.js'
export { RecordingError, readRecording } from '../record/reader.js'
export type { RecordSink } from '../record/recorder.js'
export type { CliAnswer, CliFailure, CliOutput, CliScript } from './cli.js'
export type { CliCommand, Command, CountCommand, EnqueueCommand } from './commands.js'
export type { EventSetup, InterfaceState } from './events.js'
export { NodeKit, testNode } from './kit.js'
export type { LogLine } from './log.js'
export { OptionsError } from './options.js'
export { type Replay, type ReplaySetup, replay, type Undelivered } from './replay.js'
export type { FieldsOf, NodeSetup, Sendable } from './setup.js'
