// whose.ts: lets a debugger that looks at this thread from outside ask whose the code is that runs; see stuck.ts.
import { livingOwners, ownerInContext } from '../../process/owner.js'
import { runtimeAmong } from '../../process/runtime.js'
import { type Whose, whoseName } from './stuck.js'

/** Makes this thread answer. */
export function answerWhose(): void {
  const whose: Whose = {
    now: () => ownerInContext()?.name,
    among: scope => runtimeAmong(Object.values(scope))?.name,
    inStack: stack => livingOwners().flatMap(({ codeUrl, name }) => (codeUrl && stack.includes(codeUrl) ? [name] : [])),
  }
  Object.defineProperty(globalThis, Symbol.for(whoseName), { value: whose, configurable: true })
}
