import type { EncodedCandle } from '../market-view.ts'

interface KeptBody {
  readonly held: readonly EncodedCandle[]
  readonly bytes: Buffer
}

/**
 * What was made of candles in memory, in UTF-8, so that pages which many ask for are joined and encoded once for
 * each change. A candle that changes is another object, and so is one of a memory that was made anew: a body is
 * right as long as its candles are the very same. What was not asked for for the longest time is forgotten first.
 */
export class CandleBodies {
  readonly #limitBytes: number
  /** The longest unused first. */
  readonly #kept = new Map<string, KeptBody>()
  #bytes = 0

  /** @param limitBytes most bytes that are kept, with those of the candles that a body keeps in memory. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /**
   * @param key what is asked for: one body is kept of each.
   * @param make the body of these candles. Nobody may change the bytes.
   */
  of(key: string, held: readonly EncodedCandle[], make: () => string): Buffer {
    const known = this.#kept.get(key)
    if (known !== undefined) this.#forget(key, known)
    const body =
      known !== undefined && areSame(known.held, held)
        ? known
        : { held, bytes: Buffer.from(make()) }
    this.#keep(key, body)
    return body.bytes
  }

  #keep(key: string, body: KeptBody): void {
    this.#kept.set(key, body)
    this.#bytes += sizeOf(body)
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= this.#limitBytes) return
      this.#forget(oldest, kept)
    }
  }

  #forget(key: string, body: KeptBody): void {
    this.#kept.delete(key)
    this.#bytes -= sizeOf(body)
  }
}

/** Of a body's key and its objects, about: anybody may ask for any number of small pages. */
const entryBytes = 1_000

/** The texts of its candles are about as long as the body. */
function sizeOf({ bytes }: KeptBody): number {
  return entryBytes + 2 * bytes.length
}

function areSame(a: readonly EncodedCandle[], b: readonly EncodedCandle[]): boolean {
  return a.length === b.length && a.every((candle, at) => candle === b[at])
}
