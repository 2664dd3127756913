// spinner.ts: computes without an await until it is allowed to stop, and counts what came.
import { existsSync, writeFileSync } from 'node:fs'
import { call, message, processNode, u32 } from 'corod'

interface Options {
  /** Written when it begins to compute. */
  readonly began: string
  /** It computes until this file exists. */
  readonly until: string
}

export default processNode({
  messages: { spin: message(1), one: message(2), sum: call(3, {}, { value: u32 }) },
  async run(_vm, node) {
    const { began, until } = node.options as unknown as Options
    let value = 0
    for await (const event of node.inbox) {
      if (event.type === 'spin') {
        writeFileSync(began, '')
        while (!existsSync(until));
      } else if (event.type === 'one') value++
      else if (event.type === 'sum') event.reply({ value })
    }
  },
})
