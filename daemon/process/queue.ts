// queue.ts: a first-in first-out queue without limit, in a ring that grows.

const smallest = 16
// A ring of up to this many entries is kept when the queue is emptied at once.
const kept = 4096

/** Values in the order of their arrival. `push` and `shift` cost the same however many there are. */
export class Queue<T> {
  #ring: (T | undefined)[] = []
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  push(value: T): void {
    if (this.#size === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = value
    this.#size++
  }

  /** The oldest value. The queue must not be empty. */
  shift(): T {
    const value = this.#ring[this.#head] as T
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#size--
    return value
  }

  /** All values; the queue is empty afterwards. */
  drain(): T[] {
    const values: T[] = []
    while (this.#size > 0) values.push(this.shift())
    if (this.#ring.length > kept) this.#ring = []
    this.#head = 0
    return values
  }

  // The length stays a power of two. The values are laid out from the start again.
  #grow(): void {
    const ring = new Array<T | undefined>(Math.max(smallest, this.#ring.length * 2)).fill(undefined)
    for (let i = 0; i < this.#size; i++) ring[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)]
    this.#ring = ring
    this.#head = 0
  }
}
