// slab.ts: memory for records that were copied out of the rings. All nodes of an executor fill the same slab, one behind
// the other, so that a thousand nodes with one event each cost two slabs and not a thousand; an idle node holds none.
const slabBytes = 64 * 1024
/** Slabs kept for reuse; more are left to the garbage collector. */
const kept = 16

/** A piece of memory that several nodes' records lie in. Decoding copies, so nothing points into it for longer. */
export class Slab {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Bytes in use, from the start. */
  used = 0
  /** How many nodes have records in it that are not released. */
  holders = 0

  constructor(size: number) {
    const memory = Buffer.allocUnsafeSlow(size)
    this.bytes = memory as Uint8Array<ArrayBuffer>
    this.view = new DataView(memory.buffer as ArrayBuffer, memory.byteOffset, memory.byteLength)
  }
}

/** The slabs of one executor. */
export class Slabs {
  readonly #size: number
  readonly #largest: number
  readonly #free: Slab[] = []
  #current: Slab

  /** `largest`: bytes of the largest record, head and fill included. */
  constructor(largest: number) {
    this.#largest = largest
    this.#size = Math.max(slabBytes, 4 * largest)
    this.#current = new Slab(this.#size)
  }

  /** A slab with room for at least one largest record behind `used`. */
  current(): Slab {
    const slab = this.#current
    if (slab.bytes.length - slab.used >= this.#largest) return slab
    this.#current = this.#free.pop() ?? new Slab(this.#size)
    return this.#current
  }

  /** A node gives back what it held. */
  drop(slab: Slab): void {
    if (--slab.holders > 0) return
    slab.used = 0
    if (slab !== this.#current && this.#free.length < kept) this.#free.push(slab)
  }
}
