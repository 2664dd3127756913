// reference.ts: the command table as Markdown for docs/cli.md. A test proves that the page holds exactly this.
import { type Command, commands, globals, type Option } from './commands.js'
import { exits } from './exits.js'

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map(({ flags, text }) => `| \`${cell(flags)}\` | ${cell(text)} |`)
  return ['| Option | Meaning |', '|---|---|', ...rows].join('\n')
}

function exitTable(list: readonly { readonly code: number; readonly text: string }[]): string {
  const rows = list.map(({ code, text }) => `| ${code} | ${cell(text)} |`)
  return ['| Status | Meaning |', '|---|---|', ...rows].join('\n')
}

function section(command: Command): string {
  const synopsis = ['corod', command.name, ...command.arguments.map(one => one.name)].join(' ')
  const parts = [`### \`${synopsis}\``, `${capital(command.summary)}. ${command.text}`]
  if (command.arguments.length > 0) {
    const rows = command.arguments.map(({ name, text }) => `| \`${cell(name)}\` | ${cell(text)} |`)
    parts.push(['| Argument | Meaning |', '|---|---|', ...rows].join('\n'))
  }
  if (command.options.length > 0) parts.push(optionTable(command.options))
  const codes = Object.entries(exits)
    .filter(([name]) => name === 'ok' || name === 'usage' || (command.exits as readonly string[]).includes(name))
    .map(([, { code }]) => code)
  parts.push(`Exit status: ${codes.join(', ')}.`, ['```sh', ...command.examples, '```'].join('\n'))
  return parts.join('\n\n')
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`
}

/** Commands, options of every command, exit statuses. */
export function cliReference(): string {
  const help: Option = { flags: '-h, --help', text: 'Print help' }
  const shown: Option = { flags: '-V, --version', text: 'Print the version' }
  return [
    '## Options of every command',
    optionTable([...globals, help, shown]),
    '## Commands',
    ...commands.map(section),
    '## Exit status',
    exitTable(Object.values(exits)),
    '',
  ].join('\n\n')
}
