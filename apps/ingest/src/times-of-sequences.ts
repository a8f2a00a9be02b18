interface KnownTime {
  readonly sequence: number
  /** Nanoseconds since the epoch. */
  readonly time: bigint
}

/** Enough for a search in progress and for the way back to it. */
const maxKnown = 200

/** A step back from the lowest known trade is this much longer than their pace says. */
const stepBackFactor = 2

const shortestStepBack = 1_000_000_000n

/**
 * Finds when a trade happened whose sequence alone is known, from the times of others: a search between
 * the nearest ones below and above.
 */
export class TimesOfSequences {
  readonly #pageSize: number
  /** Ascending by sequence. */
  #known: KnownTime[] = []
  #guesses = 0

  /** @param pageSize how many trades behind a time are told at once. */
  constructor(pageSize: number) {
    this.#pageSize = pageSize
  }

  learn(sequence: number, time: bigint): void {
    if (this.#known.some((each) => each.sequence === sequence)) return
    this.#known.push({ sequence, time })
    this.#known.sort((one, other) => one.sequence - other.sequence)
    // The lowest ones are the least likely to be of use.
    if (this.#known.length > maxKnown) this.#known.shift()
  }

  /**
   * A time from which a page probably holds the sequence, nanoseconds since the epoch; not later than
   * its own where the trade right before it is known.
   *
   * @returns undefined while nothing above is known; 0 for the beginning of all.
   */
  before(sequence: number): bigint | undefined {
    const below = this.#known.findLast((each) => each.sequence < sequence)
    const above = this.#known.find((each) => each.sequence >= sequence)
    if (below !== undefined && sequence - below.sequence < this.#pageSize / 2) return below.time
    // The venue's present is above; where it is not, nothing is to be found.
    if (above === undefined) return undefined
    this.#guesses += 1
    if (below === undefined) return this.#stepBack(sequence, above)
    // Trades come at an uneven pace: where it misleads, halving the time comes to an end all the same.
    if (this.#guesses % 3 === 0) return (below.time + above.time) / 2n
    const aim = Math.max(below.sequence, sequence - Math.floor(this.#pageSize / 4))
    const share = (aim - below.sequence) / (above.sequence - below.sequence)
    return below.time + scaled(above.time - below.time, share)
  }

  #stepBack(sequence: number, lowest: KnownTime): bigint {
    const highest = this.#known.at(-1) ?? lowest
    const span = highest.time - lowest.time
    const count = highest.sequence - lowest.sequence
    const paced = count === 0 ? 0n : scaled(span, (lowest.sequence - sequence) / count)
    const step = scaled(paced > shortestStepBack ? paced : shortestStepBack, stepBackFactor)
    return step < lowest.time ? lowest.time - step : 0n
  }
}

/** To a millionth; the factor may be far above 1. */
function scaled(time: bigint, factor: number): bigint {
  return (time * BigInt(Math.round(factor * 1_000_000))) / 1_000_000n
}
