/** What stands before the number of an update in the JSON of its candle: the name of an indicator. */
export const marker = '"update":'

export const indicator = 'update'

const digitZero = 48
const digitNine = 57

export interface Arrival {
  /** Times that the update came, over all clients. */
  readonly count: number
  /** The last of these times, in ms since the epoch. */
  readonly lastAt: number
}

/** When numbered updates came to many clients, by their numbers. */
export class ArrivalTable {
  #counts = new Uint32Array(1_024)
  #lastAt = new Float64Array(1_024)

  /** Looks for updates in a frame. @returns whether there were any. */
  take(frame: Buffer, at: number): boolean {
    let found = frame.indexOf(marker)
    if (found === -1) return false
    while (found !== -1) {
      let place = found + marker.length
      let number = 0
      for (;;) {
        const digit = frame[place] ?? 0
        if (digit < digitZero || digit > digitNine) break
        number = number * 10 + digit - digitZero
        place += 1
      }
      this.#add(number, 1, at)
      found = frame.indexOf(marker, place)
    }
    return true
  }

  /** Those of another process. */
  addAll(encoded: Buffer): void {
    for (let start = 0; start < encoded.length; start += 16) {
      this.#add(
        encoded.readUInt32LE(start),
        encoded.readUInt32LE(start + 4),
        encoded.readDoubleLE(start + 8),
      )
    }
  }

  of(number: number): Arrival {
    return { count: this.#counts[number] ?? 0, lastAt: this.#lastAt[number] ?? 0 }
  }

  encode(): Buffer {
    const numbers = [...this.#counts.keys()].filter((number) => this.of(number).count > 0)
    const encoded = Buffer.alloc(numbers.length * 16)
    for (const [index, number] of numbers.entries()) {
      const { count, lastAt } = this.of(number)
      encoded.writeUInt32LE(number, index * 16)
      encoded.writeUInt32LE(count, index * 16 + 4)
      encoded.writeDoubleLE(lastAt, index * 16 + 8)
    }
    return encoded
  }

  #add(number: number, count: number, at: number): void {
    if (number >= this.#counts.length) this.#grow(number)
    this.#counts[number] = (this.#counts[number] ?? 0) + count
    this.#lastAt[number] = Math.max(this.#lastAt[number] ?? 0, at)
  }

  #grow(number: number): void {
    const length = 2 ** Math.ceil(Math.log2(number + 1))
    const [counts, lastAt] = [new Uint32Array(length), new Float64Array(length)]
    counts.set(this.#counts)
    lastAt.set(this.#lastAt)
    this.#counts = counts
    this.#lastAt = lastAt
  }
}
