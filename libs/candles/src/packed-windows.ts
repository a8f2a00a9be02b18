import type { StoredWindow } from '@tickertape/market-model'

/** How a stored window becomes the bytes that memory and the changelog hold. */
export interface StoredWindowCodec {
  encode(window: StoredWindow): Uint8Array
  decode(bytes: Uint8Array): StoredWindow
}

const slabBytes = 1 << 20
/** Before the bytes of each window: how many they are. */
const lengthBytes = 4

interface Slab {
  readonly bytes: Uint8Array
  /** Windows in it that were not dropped. */
  windows: number
}

/**
 * The stored windows of a partition as bytes, one behind the other in slabs. A million of them are known by
 * numbers instead of objects: 100 MB less, and nothing that a garbage collection has to look at.
 */
export class PackedWindows {
  readonly #codec: StoredWindowCodec
  readonly #slabs: (Slab | undefined)[] = []
  /** Numbers of slabs that hold nothing. */
  readonly #free: number[] = []
  /** The slab that takes the next window, and where in it. */
  #current = -1
  #end = slabBytes

  constructor(codec: StoredWindowCodec) {
    this.#codec = codec
  }

  encode(window: StoredWindow): Uint8Array {
    return this.#codec.encode(window)
  }

  /** Copies the bytes. @returns where they are. */
  keep(bytes: Uint8Array): number {
    const needed = lengthBytes + bytes.length
    if (this.#end + needed > slabBytes) this.#begin(Math.max(slabBytes, needed))
    const slab = this.#slabs[this.#current]
    const at = this.#end
    if (slab === undefined) throw new Error('A slab was begun and is not there')
    for (let byte = 0; byte < lengthBytes; byte += 1) {
      slab.bytes[at + byte] = (bytes.length >>> (8 * byte)) & 0xff
    }
    slab.bytes.set(bytes, at + lengthBytes)
    slab.windows += 1
    this.#end = at + needed
    return this.#current * slabBytes + at
  }

  /** @param place as `keep` returned it. */
  read(place: number): StoredWindow {
    const at = place % slabBytes
    const bytes = this.#slabs[(place - at) / slabBytes]?.bytes
    if (bytes === undefined) throw new Error(`No window is kept at ${place}`)
    let length = 0
    for (let byte = 0; byte < lengthBytes; byte += 1) {
      length |= (bytes[at + byte] ?? 0) << (8 * byte)
    }
    const from = at + lengthBytes
    return this.#codec.decode(bytes.subarray(from, from + length))
  }

  drop(place: number): void {
    const number = Math.floor(place / slabBytes)
    const slab = this.#slabs[number]
    if (slab === undefined) return
    slab.windows -= 1
    if (slab.windows > 0 || number === this.#current) return
    this.#slabs[number] = undefined
    this.#free.push(number)
  }

  /** Bytes that are held, those of dropped windows beside others that are kept included. */
  get heldBytes(): number {
    return this.#slabs.reduce((sum, slab) => sum + (slab?.bytes.length ?? 0), 0)
  }

  #begin(size: number): void {
    const former = this.#current
    this.#current = this.#free.pop() ?? this.#slabs.length
    this.#slabs[this.#current] = { bytes: new Uint8Array(size), windows: 0 }
    this.#end = 0
    if (this.#slabs[former]?.windows === 0) {
      this.#slabs[former] = undefined
      this.#free.push(former)
    }
  }
}
