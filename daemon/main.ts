// main.ts: argv -> command -> exit status. The only place that ends the process.
import { main } from './cli/program.js'

// exit() and not exitCode: a module that was only checked may have left timers behind.
process.exit(await main(process.argv.slice(2), process))
