// index.ts: what node authors import from 'corod'.

export type { Answering } from './message/call.js'
export { type Fault, MessageError } from './message/errors.js'
export { type InterfaceChangeFields, type InterfaceChangeKind, interfaceChange } from './message/interface.js'
export type { ChoiceKind, Fields, JsonValue, Kind, ValueOfKind } from './message/kind.js'
export {
  type Call,
  call,
  type EventMeta,
  type EventValues,
  type FieldValues,
  type GapEvent,
  type HostMessage,
  type Message,
  type MessageForm,
  type MessageOf,
  type Messages,
  message,
  type NoFields,
  signal,
  type TypedEvent,
} from './message/message.js'
export { bool, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from './message/numbers.js'
export { bytes, choice, ip4, ip6, json, mac, text } from './message/values.js'
export { type ChannelReceiver, channel, type Sender } from './process/channel.js'
export { processNode } from './process/define.js'
export {
  ChannelClosedError,
  CliError,
  type ErrorCode,
  NodeStoppedError,
  PeerDiedError,
  ProcessError,
  ReceiverBusyError,
  RefusedError,
  TimeoutError,
  UnansweredError,
  UndeliveredError,
} from './process/errors.js'
export type {
  AnyOptions,
  CounterSpec,
  CounterText,
  DefinedNode,
  Enqueue,
  Log,
  ProcessContext,
  ProcessNode,
  ProcessNodeOptions,
  Severity,
  Vm,
} from './process/node.js'
export type { StandardSchema } from './process/options.js'
export type { CallOptions, MessagesOfPeer, NodeOfMessages, Peer, Peers, ReplyTo } from './process/peers.js'
export type { Receiver } from './process/receiver.js'
export type { Selected, SelectedSource, Sources } from './process/select.js'
export type { Source, ValueOf } from './process/source.js'
export type { Timer } from './process/timer.js'
export { Unordered } from './process/unordered.js'
