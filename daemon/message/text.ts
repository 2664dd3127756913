// text.ts: UTF-8 in a record. ASCII, which is nearly all of it, is read without a decoder.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

// The memory of the record before, which is mostly also that of the next: making a Buffer costs more than reading it.
let memory: Buffer = Buffer.alloc(0)

function bytesOf(view: DataView): Buffer {
  if (memory.buffer !== view.buffer) memory = Buffer.from(view.buffer)
  return memory
}

/**
 * The text in `size` bytes at `offset`, up to the first NUL if `terminated`: what follows a NUL in a C array may be
 * anything. undefined if it is not UTF-8.
 */
export function readText(view: DataView, offset: number, size: number, terminated: boolean): string | undefined {
  return read(view, offset, size, terminated, strict)
}

/** The same, with U+FFFD for what is not UTF-8: for text that neither the author nor a peer of ours chose. */
export function readLooseText(view: DataView, offset: number, size: number): string {
  return read(view, offset, size, true, lenient) ?? ''
}

function read(view: DataView, offset: number, size: number, terminated: boolean, by: typeof strict) {
  let length = 0
  let seen = 0
  for (; length < size; length++) {
    const byte = view.getUint8(offset + length)
    if (byte === 0 && terminated) break
    seen |= byte
  }
  const start = view.byteOffset + offset
  if (seen < 0x80) return bytesOf(view).toString('latin1', start, start + length)
  try {
    return by.decode(new Uint8Array(view.buffer, start, length))
  } catch {
    return undefined
  }
}

/** Whether every surrogate has its other half: only such text survives UTF-8. */
export function wellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value)
}
