// topics.ts: which name stands where on the pages of the API reference. A test sees to it that each stands somewhere.
import { errorCodes } from '../process/errors.js'

/** A section of a page. */
export interface Topic {
  readonly title: string
  /** What a reader should know before the names, as Markdown. */
  readonly intro: string
  /** In the order of the page. */
  readonly names: readonly string[]
}

/** A page, made of what one module exports. */
export interface ApiPage {
  /** The file below docs/. */
  readonly file: string
  /** What users import. */
  readonly module: string
  /** Its source, from the root of the project. */
  readonly entry: string
  readonly topics: readonly Topic[]
}

const codes = Object.entries(errorCodes).map(([code, when]) => `| \`${code}\` | ${when} |`)

const corod: readonly Topic[] = [
  {
    title: 'Defining a node',
    intro: 'The default export of a module is its node. `processNode` infers every type from what it is given.',
    names: [
      'processNode',
      'ProcessNodeOptions',
      'ProcessContext',
      'CounterSpec',
      'CounterText',
      'Severity',
      'Enqueue',
      'Log',
    ],
  },
  {
    title: 'Waiting and time',
    intro: 'All durations and times are milliseconds; fractions count. Every wait ends when the node is stopped.',
    names: ['Vm', 'Timer', 'Source', 'Sources', 'Selected', 'SelectedSource', 'ValueOf', 'Unordered'],
  },
  {
    title: 'Inbox and channels',
    intro: 'The inbox of a node and the receiving end of a channel are asked in the same ways.',
    names: ['Receiver', 'channel', 'Sender', 'ChannelReceiver'],
  },
  {
    title: 'Messages',
    intro: 'One table says the types of the events, their records, and the check of what comes from outside.',
    names: ['message', 'call', 'signal', 'interfaceChange', 'InterfaceChangeFields', 'InterfaceChangeKind'],
  },
  {
    title: 'Kinds of fields',
    intro: 'Sizes, and how JSON and C have them, are in [writing-a-node.md](writing-a-node.md#kinds-of-fields).',
    names: [
      ...['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f64', 'bool', 'ip4', 'ip6', 'mac', 'json'],
      ...['text', 'bytes', 'choice', 'Kind', 'ChoiceKind', 'JsonValue'],
    ],
  },
  {
    title: 'Events',
    intro: 'An event has the name of its message as `type`, its fields, and what every event has.',
    names: ['MessageOf', 'TypedEvent', 'EventMeta', 'EventValues', 'GapEvent', 'Answering'],
  },
  {
    title: 'Sending to other nodes',
    intro: 'The definition names the `peers`; the YAML says which nodes they are.',
    names: ['Peer', 'CallOptions', 'Peers'],
  },
  {
    title: 'Errors',
    intro: `Errors are told apart by their class, or by \`code\`, which does not change:\n\n| Code | When |\n|---|---|\n${codes.join('\n')}`,
    names: [
      ...['ProcessError', 'ErrorCode', 'TimeoutError', 'NodeStoppedError', 'ChannelClosedError', 'ReceiverBusyError'],
      ...['CliError', 'UndeliveredError', 'RefusedError', 'UnansweredError', 'PeerDiedError', 'MessageError', 'Fault'],
    ],
  },
  {
    title: 'Types of definitions',
    intro: 'For functions that take or make nodes, messages or fields. A node by itself needs none of them.',
    names: [
      ...[
        'DefinedNode',
        'ProcessNode',
        'AnyOptions',
        'StandardSchema',
        'Message',
        'MessageForm',
        'Call',
        'HostMessage',
        'Messages',
      ],
      ...['Fields', 'NoFields', 'FieldValues', 'ValueOfKind', 'NodeOfMessages', 'MessagesOfPeer', 'ReplyTo'],
    ],
  },
]

const testing: readonly Topic[] = [
  {
    title: 'A node under test',
    intro: 'The clock stands until the test moves it, and nothing happens by itself.',
    names: ['testNode', 'NodeSetup', 'NodeKit', 'RunResult', 'EventSetup', 'InterfaceState', 'OptionsError'],
  },
  {
    title: 'What is around the node',
    intro: 'Answers of the CLI and of peers, by rules: `kit.onCli` and `kit.onPeer`.',
    names: ['CliScript', 'CliAnswer', 'CliOutput', 'CliFailure', 'PeerScript', 'PeerAnswer'],
  },
  {
    title: 'What the node did',
    intro: '`kit.commands` has all of it in order.',
    names: [
      ...['Command', 'CountCommand', 'EnqueueCommand', 'CliCommand', 'PeerCommand', 'SignalCommand', 'AnswerCommand'],
      ...['PendingCall', 'CallAnswer', 'LogLine'],
    ],
  },
  {
    title: 'Recording and replay',
    intro: 'The format is told in [testing.md](testing.md#the-format).',
    names: [
      ...['replay', 'ReplaySetup', 'Replay', 'Undelivered', 'readRecording', 'Recording', 'RecordingHead'],
      ...['RecordingLine', 'RecordSink', 'RecordingError'],
    ],
  },
  {
    title: 'Types of messages',
    intro: 'For functions that take kits of several nodes.',
    names: ['Sendable', 'Callable', 'FieldsOf'],
  },
]

/** The pages of the API reference. */
export const apiPages: readonly ApiPage[] = [
  { file: 'api.md', module: 'corod', entry: 'daemon/index.ts', topics: corod },
  { file: 'api-testing.md', module: 'corod/testing', entry: 'daemon/testing/index.ts', topics: testing },
]

/** Variables of signatures and what their types are the members of: `vm.sleep` in a docstring is `Vm.sleep`. */
export const receivers: Readonly<Record<string, string>> = {
  vm: 'Vm',
  node: 'ProcessContext',
  peer: 'Peer',
  kit: 'NodeKit',
  event: 'Answering',
}
