// commands.ts: every command, argument and option of the program, once. program.ts makes a parser of it and reference.ts
// docs/cli.md. What a command does is in a file of its own, loaded when it runs.
import type { Exit } from './exits.js'
import type { Output } from './output.js'
import { localConfig, systemConfig, systemSocket } from './place.js'

/** Values as the user gave them: long option names in camel case, without the dashes. */
export interface Given {
  readonly config?: string | undefined
  readonly socket?: string | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
  readonly [option: string]: string | boolean | undefined
}

export interface Argument {
  /** As usage shows it: `NODE`, or `[JSON]` if it may be left out. */
  readonly name: string
  readonly text: string
}

export interface Option {
  /** As commander takes it: `-c, --config <file>`. `--wait[=ms]` has a value only behind a `=`. */
  readonly flags: string
  readonly text: string
  /** The value of one that is given without its own. */
  readonly bare?: string
}

export interface Command {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** What else one should know. */
  readonly text: string
  readonly arguments: readonly Argument[]
  readonly options: readonly Option[]
  /** Beside ok and usage, which every command has. */
  readonly exits: readonly Exit[]
  readonly examples: readonly string[]
  /** Resolves with the exit status. `args` in the order of `arguments`; what was left out is undefined. */
  run(args: readonly (string | undefined)[], given: Given, out: Output): Promise<number>
}

/** Options of every command. */
export const globals: readonly Option[] = [
  {
    flags: '-c, --config <file>',
    text: `Configuration file (default: ./${localConfig} if it exists, else ${systemConfig})`,
  },
  {
    flags: '--socket <path>',
    text: `Control socket of the daemon (default: $COROD_SOCKET, else that of the corod dev that runs for the configuration, else control.socket of it, else ${systemSocket})`,
  },
  { flags: '--json', text: 'Print one JSON object, for programs; errors too' },
  { flags: '-q, --quiet', text: 'Print results and errors only' },
  { flags: '--no-color', text: 'No colours, as with NO_COLOR in the environment' },
]

export const commands: readonly Command[] = [
  {
    name: 'run',
    summary: 'run the daemon in the foreground',
    text: 'Looks for the host for ever, so the order of starting does not matter. SIGTERM and SIGINT stop it cleanly: inboxes close, coroutines finish within their grace time; a second one ends it at once, with status 128 + its number. SIGHUP applies a changed configuration, as corod reload does. With --socket, $COROD_SOCKET or --host-socket, the sockets of the configuration are replaced.',
    arguments: [],
    options: [
      { flags: '--host-socket <path>', text: 'Attach socket of the host, instead of host.socket of the configuration' },
      { flags: '--state <dir>', text: 'Folder for what the daemon keeps, instead of state of the configuration' },
      {
        flags: '--record <dir>',
        text: 'Record every node there, for corod replay, whatever the configuration says; its bounds hold',
      },
      { flags: '--record-node <names>', text: 'With --record: only these nodes, with commas between their names' },
    ],
    exits: ['failed', 'fault', 'permission', 'config'],
    examples: [
      'corod run -c /etc/corod/corod.yaml',
      'corod run -c corod.yaml --record /tmp/recordings --record-node beacon',
    ],
    run: async (args, given, out) => (await import('./start.js')).start(args, given, out),
  },
  {
    name: 'dev',
    summary: 'run the nodes of a project while you write them',
    text: 'Starts a standalone host, or uses the one that is named, and the daemon. When the configuration, a module or something that it imports changes, the change is applied as corod reload does it: no event is lost, and nodes that did not change go on. Faults are shown with the line that they are in, and the code that runs stays. The types are checked by the TypeScript of the project beside that. Other commands find this daemon by its configuration file. Ctrl-C ends everything.',
    arguments: [],
    options: [
      { flags: '--host-socket <path>', text: 'Attach socket of a host that runs, VPP for example; none is started' },
      {
        flags: '--pcap <file>',
        text: 'Write the packets that nodes send to this file; only of the host that is started',
      },
      { flags: '--no-types', text: 'Do not check the types' },
    ],
    exits: ['failed', 'permission', 'config'],
    examples: ['corod dev', 'corod dev -c lab.yaml --host-socket /run/vpp/corod.sock'],
    run: async (args, given, out) => (await import('./dev.js')).dev(args, given, out),
  },
  {
    name: 'check',
    summary: 'check the configuration and the modules it names',
    text: 'Prints every fault at once, as file:line:col: path: what is wrong, what would be right. Loads each module, so its top-level code runs; starts no node and needs no host.',
    arguments: [],
    options: [{ flags: '--no-environment', text: 'Check the file alone: load no module' }],
    exits: ['config'],
    examples: ['corod check -c corod.yaml', 'corod check --json | jq .problems'],
    run: async (args, given, out) => (await import('./check.js')).check(args, given, out),
  },
  {
    name: 'send',
    summary: 'send events to a node',
    text: 'Ends with status 0 when every event is in the backlog of the node: there it survives the death of the daemon. From standard input, events are one JSON object a line (NDJSON) and sent as they come; a line that has its own "type" keeps it. So do objects of a file. A file that ends in .ndjson or .jsonl is read line by line, any other holds one object or an array of them. With --wait one event is sent, of a message that declares a reply, and the reply is printed as a JSON object; a refusal ends with status 1, no reply in time with 75, a node that ends before it has replied with 69.',
    arguments: [
      { name: 'NODE', text: 'Name of the node' },
      { name: 'TYPE', text: 'Name of the message, as the node declares it' },
      {
        name: '[JSON]',
        text: 'Fields of the message as a JSON object, or an array of such objects; `-`: lines from standard input; `@FILE`: from a file. Left out: no fields',
      },
    ],
    options: [
      {
        flags: '--wait[=ms]',
        text: 'Wait for the reply and print it: 1 to 3600000 ms, 5000 without a number',
        bare: '5000',
      },
    ],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: [
      'corod send beacon enable \'{"dest": "192.0.2.1"}\'',
      'corod send beacon disable',
      'tail -f destinations.ndjson | corod send beacon enable -',
      'corod send beacon enable @destinations.json',
      'corod send --wait=1000 routes lookup \'{"prefix": "192.0.2.0/24"}\' | jq -r .via',
    ],
    run: async (args, given, out) => (await import('./send.js')).send(args, given, out),
  },
  {
    name: 'status',
    summary: 'show how the daemon and its host are',
    text: 'Ends with status 0 when the daemon answered, whatever it said.',
    arguments: [],
    options: [],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: ['corod status', 'corod status --json | jq -r .host.state'],
    run: async (args, given, out) => (await import('./status.js')).status(args, given, out),
  },
  {
    name: 'nodes',
    summary: 'list the nodes and their state',
    text: 'RECEIVED counts events handed to the coroutine, MISSED those that were dropped before, DEAD those that went to the dead letters, RESTARTS how often the coroutine was started again. With --json, an array with everything that is known of each node.',
    arguments: [],
    options: [],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: ['corod nodes', 'corod nodes --json | jq -r \'.[] | select(.state != "running") | .name\''],
    run: async (args, given, out) => (await import('./status.js')).nodes(args, given, out),
  },
  {
    name: 'reload',
    summary: 'apply a changed configuration without a restart',
    text: 'The daemon reads its file and its modules again. Only what changed is touched: new nodes start, removed ones are closed to their senders and finish what is queued within their grace time, changed ones start again with the events that are queued. With any fault nothing is changed, and every fault is told as corod check tells it. Ends when that is done. SIGHUP does the same.',
    arguments: [],
    options: [],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: ['corod reload', "corod reload --json | jq -r '.changed[].name'"],
    run: async (args, given, out) => (await import('./reload.js')).reload(args, given, out),
  },
  {
    name: 'dead-letters',
    summary: 'list the events that nodes gave up, send them again or drop them',
    text: 'An event that ends its coroutine again and again, and one that does not fit the messages of its node, is a dead letter: the node goes on without it. With --json, an array with everything that is known of each, its fields included. Sent again in their order, as new events, dead letters are gone when they are in the backlog of the node; it stops at the first that cannot be sent now.',
    arguments: [{ name: '[NODE]', text: 'Name of the node; left out: all nodes' }],
    options: [
      { flags: '--resend', text: 'Send the dead letters of NODE again' },
      { flags: '--drop', text: 'Drop the dead letters of NODE' },
      { flags: '--id <ids>', text: 'With --resend or --drop: only these, with commas between them' },
      { flags: '--limit <n>', text: 'List the newest n of each node, 1 to 10000 (default: 100)' },
    ],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: [
      'corod dead-letters',
      'corod dead-letters beacon --json | jq .[].value',
      'corod dead-letters beacon --resend',
    ],
    run: async (args, given, out) => (await import('./dead-letters.js')).deadLetters(args, given, out),
  },
  {
    name: 'header',
    summary: 'print a C header for those who send to a node',
    text: 'Loads the module of the node, no daemon is needed. The header has a packed struct and a code for each message of the node.',
    arguments: [{ name: 'NODE', text: 'Name of the node in the configuration' }],
    options: [],
    exits: ['failed', 'config'],
    examples: ['corod header beacon > beacon.h'],
    run: async (args, given, out) => (await import('./header.js')).header(args, given, out),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of the configuration, or of the messages of a node',
    text: 'That of the configuration is for editors, which then complete and explain its keys: put the line `# yaml-language-server: $schema=corod.schema.json` at the top of the file. That of a node is for those who send to it: it says which objects the local socket takes, and has the replies to calls among its definitions, as NAME.reply. It loads the module of the node; no daemon is needed.',
    arguments: [{ name: '[NODE]', text: 'Name of the node in the configuration. Left out: the configuration itself' }],
    options: [],
    exits: ['failed', 'config'],
    examples: ['corod schema > corod.schema.json', 'corod schema beacon > beacon.schema.json'],
    run: async (args, given, out) => (await import('./schema.js')).schema(args, given, out),
  },
  {
    name: 'init',
    summary: 'make a new project',
    text: 'Writes package.json, tsconfig.json, corod.yaml, and one node with its test. Nothing that exists is overwritten: if one of these files is there, nothing is written at all. Then run npm install and npm test.',
    arguments: [{ name: '[DIR]', text: 'Folder of the project; made if it does not exist. Left out: the current one' }],
    options: [],
    exits: ['failed'],
    examples: ['corod init my-nodes && cd my-nodes && npm install && npm test'],
    run: async (args, given, out) => (await import('./init.js')).init(args, given, out),
  },
  {
    name: 'new-node',
    summary: 'add a node to a project',
    text: 'Writes nodes/NAME.ts and nodes/NAME.test.ts beside the configuration, and adds the node to it; the rest of the configuration stays as it is, comments included. Nothing that exists is overwritten.',
    arguments: [{ name: 'NAME', text: 'Name of the node: 1 to 63 of A-Z a-z 0-9 _ . -' }],
    options: [],
    exits: ['failed', 'config'],
    examples: ['corod new-node uplink-watch'],
    run: async (args, given, out) => (await import('./new-node.js')).newNode(args, given, out),
  },
  {
    name: 'record',
    summary: 'record a node of a running daemon, for replay',
    text: 'Prints the file. A recording begins with the life of a coroutine, so the node starts again: its inbox closes, it finishes within its grace time, and the events that are queued stay. Each later life is a file of its own, until --for is over, until --stop, or until the daemon is started again. Ends when the node has started again.',
    arguments: [{ name: 'NODE', text: 'Name of the node' }],
    options: [
      { flags: '--for <duration>', text: 'Record for so long, such as 10m; then the node goes on without' },
      { flags: '--max-size <size>', text: 'A recording that would become longer, such as 20MiB, ends there' },
      { flags: '--stop', text: 'Record it no more; it starts again for that, too' },
    ],
    exits: ['failed', 'unavailable', 'retry', 'permission', 'config'],
    examples: ['corod record beacon --for 10m', 'corod record beacon --stop'],
    run: async (args, given, out) => (await import('./record.js')).record(args, given, out),
  },
  {
    name: 'replay',
    summary: 'run a node on what was recorded, and show what it does differently',
    text: 'Needs no daemon and no host, and takes no time: the clock is virtual. Ends with status 0 if the commands of the node are those of the recording, with 1 if not. docs/testing.md says what a recording is.',
    arguments: [
      { name: 'RECORDING', text: 'File with a recording; `-`: standard input' },
      { name: 'MODULE', text: 'The module of the node, `.js`, `.mjs` or `.ts`' },
    ],
    options: [
      { flags: '--options <json>', text: 'Options of the node as a JSON object, instead of the recorded ones' },
    ],
    exits: ['failed', 'config'],
    examples: [
      'corod replay beacon.ndjson nodes/beacon.ts',
      'corod replay beacon.ndjson nodes/beacon.ts --json | jq .same',
    ],
    run: async (args, given, out) => (await import('./replay.js')).replayRecording(args, given, out),
  },
]
