// program.ts: the command table as a commander program, and how a command's end becomes an exit status.
import { readFileSync } from 'node:fs'
import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander'
import { suggest } from '../config/suggest.js'
import { type Command, commands, type Given, globals } from './commands.js'
import { CliError, type Exit, exits } from './exits.js'
import { Output, type Streams } from './output.js'

const about = 'corod: VPP process nodes as async TypeScript functions, in a daemon beside VPP'

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

// Options whose value comes only behind a `=`, as commander knows them and as they are written.
const written = new Map<string, string>()

/** commander has no word for a value that may be left out and is never the next argument: it gets a required one. */
function forCommander(flags: string): string {
  const known = flags.replace(/\[=(\w+)\]$/, ' <$1>')
  if (known !== flags) written.set(known, flags)
  return known
}

/** `argv` with the values that options have when they are given without one. */
function completed(argv: readonly string[]): string[] {
  const bare = new Map<string, string>()
  for (const { flags, bare: value } of commands.flatMap(command => command.options))
    if (value !== undefined) bare.set(flags.replace(/\[=.*$/, ''), value)
  const end = argv.indexOf('--')
  return argv.map((word, i) => (bare.has(word) && (end < 0 || i < end) ? `${word}=${bare.get(word)}` : word))
}

/** `exits` of a command as lines for its help. */
function exitLines(list: readonly Exit[]): string {
  const all = Object.entries(exits).filter(([name]) => name === 'ok' || name === 'usage' || list.includes(name as Exit))
  return all.map(([, { code, text }]) => `  ${String(code).padEnd(4)}${text}`).join('\n')
}

function more(command: Command): string {
  const examples = command.examples.map(line => `  ${line}`).join('\n')
  return `\nExamples:\n${examples}\n\nExit status:\n${exitLines(command.exits)}`
}

/** A commander program of the table; `ended` gets the exit status of the command that ran. */
export function makeProgram(out: Output, ended: (code: number) => void): Commander {
  const program = new Commander('corod')
    .description(about)
    .usage('COMMAND [OPTION...]')
    .version(version(), '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, optionTerm: option => written.get(option.flags) ?? option.flags })
    .configureOutput({
      writeOut: text => void out.streams.stdout.write(text),
      // Nothing but the help of who names no command; a program gets an error instead.
      writeErr: text => void (program.opts<Partial<Given>>().json || out.streams.stderr.write(text)),
      outputError: () => {},
    })
  for (const { flags, text } of globals) program.addOption(new CommanderOption(flags, text))
  program.addHelpText('after', `\nExit status:\n${exitLines(Object.keys(exits) as Exit[])}`)
  for (const command of commands) addCommand(program, command, out, ended)
  addHelp(program)
  return program
}

/** commander's own help command has no words for a command that is not there. */
function addHelp(program: Commander): void {
  program
    .command('help')
    .summary('print help for a command')
    .description('Print help for a command.')
    .helpOption('-h, --help', 'Print help')
    .argument('[COMMAND]', 'Name of the command; left out: the list of all')
    .action((name?: string) => {
      const named = name === undefined ? program : program.commands.find(command => command.name() === name)
      if (named !== undefined) return named.outputHelp()
      const near = suggest(
        name ?? '',
        commands.map(command => command.name),
      )
      const hint = near === undefined ? '' : ` (Did you mean ${near}?)`
      throw new CliError('usage', 'USAGE', `unknown command '${name}'${hint}; see corod --help`)
    })
}

function addCommand(program: Commander, command: Command, out: Output, ended: (code: number) => void): void {
  const made = program
    .command(command.name)
    .summary(command.summary)
    .description(`${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}. ${command.text}`)
    .helpOption('-h, --help', 'Print help')
    .addHelpText('after', more(command))
  for (const { name, text } of command.arguments)
    made.argument(name.startsWith('[') ? name : `<${name}>`, text.replaceAll('`', ''))
  for (const { flags, text } of command.options) made.addOption(new CommanderOption(forCommander(flags), text))
  made.action(async (...all: unknown[]) => {
    const args = all.slice(0, command.arguments.length) as (string | undefined)[]
    const options = made.optsWithGlobals<Partial<Given>>()
    const given = {
      ...options,
      json: options.json ?? false,
      quiet: options.quiet ?? false,
      color: options.color ?? true,
    }
    out.manner = given
    ended(await command.run(args, given, out))
  })
}

/** Runs the program. Resolves with its exit status, never rejects; everything is written by then. */
export async function main(argv: readonly string[], streams: Streams): Promise<number> {
  const out = new Output(streams)
  let code: number = exits.ok.code
  try {
    const program = makeProgram(out, ended => {
      code = ended
    })
    await program.parseAsync(completed(argv), { from: 'user' })
  } catch (error) {
    if (argv.includes('--json')) out.manner = { ...out.manner, json: true }
    code = await report(error, out, argv)
  }
  try {
    await out.flush()
  } catch (error) {
    out.error(`cannot write the output: ${(error as Error).message}`, 'OUTPUT', exits.failed.code)
    return exits.failed.code
  }
  return code
}

/** Tells the user about `error`; returns the exit status that it stands for. */
async function report(error: unknown, out: Output, argv: readonly string[]): Promise<number> {
  if (error instanceof CommanderError) return usage(error, out, argv)
  const { reportProblems } = await import('./problems.js')
  const told = reportProblems(error, out)
  if (told !== undefined) return told
  if (isExpected(error)) {
    out.error(error.message, error.code, error.exit)
    return error.exit
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  out.errors(`corod: a fault of corod itself, please report it: ${text}`)
  return exits.fault.code
}

/** An error that says how the command ends: CliError, or what the control socket's client throws. */
function isExpected(error: unknown): error is Error & { exit: number; code: string } {
  return error instanceof CliError || (error instanceof Error && 'exit' in error && typeof error.exit === 'number')
}

function usage(error: CommanderError, out: Output, argv: readonly string[]): number {
  // Help and version were printed where they belong; plain `corod` has printed its help on standard error.
  if (error.exitCode === 0) return exits.ok.code
  if (error.code === 'commander.help') {
    if (out.manner.json) out.error('no command is named; see corod --help', 'USAGE', exits.usage.code)
    return exits.usage.code
  }
  const command = commands.find(one => argv.includes(one.name))?.name
  const help = `see corod ${command === undefined ? '' : `${command} `}--help`
  const said = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.\s+/g, ': ')
    .replace(/\.$/, '')
  const yaml = error.code === 'commander.excessArguments' && argv.find(word => /\.ya?ml$/.test(word))
  out.error(`${said}; ${yaml ? `name the configuration with -c ${yaml}` : help}`, 'USAGE', exits.usage.code)
  return exits.usage.code
}
