// memory.ts: keeps the daemon small. Loading a large configuration makes much garbage at once; V8 answers by growing the
// young generation of its heap, which it then keeps: 20 MB that an idle daemon never needs again.
import { setFlagsFromString } from 'node:v8'

const usual = 2

/** Holds the young generation of the heap at its size until the returned function is called. */
export function holdYoungGeneration(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1')
  return () => setFlagsFromString(`--semi-space-growth-factor=${usual}`)
}
