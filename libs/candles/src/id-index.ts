/**
 * Which windows hold a trade id, by a 53-bit hash of it: a suspicion that the log confirms. A table of two
 * typed arrays: 24 bytes an id at most, where a Map of strings takes 100.
 */
export class IdIndex {
  /** 0 is empty. */
  #hashes = new Float64Array(16)
  /** Of the window's start, in seconds. */
  #seconds = new Uint32Array(16)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(hash: number, windowStart: number): void {
    if (this.#size * 2 >= this.#hashes.length) this.#grow()
    this.#insert(hash, windowStart / 1_000)
    this.#size += 1
  }

  /** Starts of the windows that hold an id with this hash, ascending. */
  windowsOf(hash: number): readonly number[] {
    const mask = this.#hashes.length - 1
    let found: number[] | undefined
    for (let at = slotOf(hash, mask); this.#hashes[at] !== 0; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash) (found ??= []).push((this.#seconds[at] ?? 0) * 1_000)
    }
    return found === undefined ? none : found.sort((a, b) => a - b)
  }

  delete(hash: number, windowStart: number): void {
    const mask = this.#hashes.length - 1
    const seconds = windowStart / 1_000
    for (let at = slotOf(hash, mask); this.#hashes[at] !== 0; at = (at + 1) & mask) {
      if (this.#hashes[at] !== hash || this.#seconds[at] !== seconds) continue
      this.#close(at)
      this.#size -= 1
      return
    }
  }

  #insert(hash: number, seconds: number): void {
    const mask = this.#hashes.length - 1
    let at = slotOf(hash, mask)
    while (this.#hashes[at] !== 0) at = (at + 1) & mask
    this.#hashes[at] = hash
    this.#seconds[at] = seconds
  }

  /** Entries behind an emptied slot move up, or a search would end before them. */
  #close(empty: number): void {
    const mask = this.#hashes.length - 1
    let hole = empty
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const hash = this.#hashes[at] ?? 0
      if (hash === 0) break
      const home = slotOf(hash, mask)
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#hashes[hole] = hash
      this.#seconds[hole] = this.#seconds[at] ?? 0
      hole = at
    }
    this.#hashes[hole] = 0
  }

  #grow(): void {
    const hashes = this.#hashes
    const seconds = this.#seconds
    this.#hashes = new Float64Array(hashes.length * 2)
    this.#seconds = new Uint32Array(hashes.length * 2)
    for (let at = 0; at < hashes.length; at += 1) {
      const hash = hashes[at] ?? 0
      if (hash !== 0) this.#insert(hash, seconds[at] ?? 0)
    }
  }
}

const none: readonly number[] = Object.freeze([])

function slotOf(hash: number, mask: number): number {
  // The low 32 bits are well mixed.
  return (hash >>> 0) & mask
}

/** A positive integer below 2^53 that depends on every character of the id. */
export function hashOfId(id: string): number {
  // Two rounds of FNV-1a over UTF-16 units, with different primes and a final mix as in MurmurHash3.
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (let at = 0; at < id.length; at += 1) {
    const unit = id.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b)
  }
  return mix(high) * 0x200000 + (mix(low) >>> 11) || 1
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Hashes as the changelog holds them: little-endian doubles. */
export function packHashes(hashes: readonly number[]): Uint8Array {
  // Every platform that runs Node is little-endian.
  return new Uint8Array(Float64Array.from(hashes).buffer)
}

export function unpackHashes(bytes: Uint8Array | null): number[] {
  if (bytes === null) return []
  // A copy, for doubles have to be aligned; not `slice`, which is a view where the bytes are a Buffer.
  return [...new Float64Array(new Uint8Array(bytes).buffer)]
}
