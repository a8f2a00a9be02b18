/** Writes numbers one behind the other into one buffer that all use in turn. */
export class ByteWriter {
  #bytes = Buffer.alloc(4_096)
  #at = 0

  begin(): void {
    this.#at = 0
  }

  /** What was written since `begin`: a view, until the next `begin`. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value
  }

  /** A non-negative integer within 2^53, seven bits a byte. */
  natural(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f_ff_ff_ff) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  /** An integer within ±2^53: its sign and six bits, then as `natural`. */
  integer(value: number): void {
    this.#reserve(9)
    const magnitude = Math.abs(value)
    const rest = Math.floor(magnitude / 0x40)
    this.#bytes[this.#at++] = (value < 0 ? 0x40 : 0) | (magnitude % 0x40) | (rest > 0 ? 0x80 : 0)
    if (rest > 0) this.natural(rest)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#bytes.writeDoubleLE(value, this.#at)
    this.#at += 8
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const larger = Buffer.alloc(this.#bytes.length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** Reads what a ByteWriter wrote. */
export class ByteReader {
  #bytes: Uint8Array = new Uint8Array()
  #at = 0
  readonly #double = new DataView(new ArrayBuffer(8))

  begin(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes
    this.#at = at
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  natural(): number {
    let byte = this.byte()
    let value = byte & 0x7f
    for (let factor = 0x80; byte > 0x7f; factor *= 0x80) {
      byte = this.byte()
      value += (byte & 0x7f) * factor
    }
    return value
  }

  integer(): number {
    const byte = this.byte()
    const magnitude = (byte & 0x3f) + (byte > 0x7f ? this.natural() * 0x40 : 0)
    return (byte & 0x40) === 0 ? magnitude : -magnitude
  }

  double(): number {
    for (let at = 0; at < 8; at += 1) this.#double.setUint8(at, this.byte())
    return this.#double.getFloat64(0, true)
  }
}
