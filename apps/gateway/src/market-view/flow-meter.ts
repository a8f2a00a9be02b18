/** Delays of one hop. */
export interface HopReading {
  /** null: nothing has passed lately. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export const viewHops = ['venue', 'ingest', 'aggregator', 'gateway'] as const

export type ViewHop = (typeof viewHops)[number]

/** What passes through the view, as of now. */
export interface FlowReading {
  readonly tradesPerSecond: number
  /** Closed ones. */
  readonly candlesPerSecond: number
  /**
   * - `venue`: a trade's event time to its receipt, by two clocks.
   * - `ingest`: its receipt to Kafka's append.
   * - `aggregator`: the end of a candle's window to Kafka's append: the grace and a heartbeat are part of it.
   * - `gateway`: Kafka's append of a record to its being seen here.
   */
  readonly hops: Readonly<Record<ViewHop, HopReading>>
}

const spanSeconds = 10
const samplesOfHop = 1_024

/** Rates of the last 10 s, and the latest delays of each hop: for screens, metrics have histograms. */
export class FlowMeter {
  readonly #trades = new Rate()
  readonly #candles = new Rate()
  readonly #hops: Readonly<Record<ViewHop, LatestSamples>> = {
    venue: new LatestSamples(),
    ingest: new LatestSamples(),
    aggregator: new LatestSamples(),
    gateway: new LatestSamples(),
  }

  /** Times are ms since the epoch. */
  trade(eventTime: number, receivedAt: number, appendedAt: number, now: number): void {
    this.#trades.add(now)
    this.#hops.venue.add(receivedAt - eventTime)
    this.#hops.ingest.add(appendedAt - receivedAt)
    this.#hops.gateway.add(now - appendedAt)
  }

  candle(windowEnd: number, appendedAt: number, now: number): void {
    this.#candles.add(now)
    this.#hops.aggregator.add(appendedAt - windowEnd)
    this.#hops.gateway.add(now - appendedAt)
  }

  read(now: number): FlowReading {
    const { venue, ingest, aggregator, gateway } = this.#hops
    return {
      tradesPerSecond: this.#trades.perSecond(now),
      candlesPerSecond: this.#candles.perSecond(now),
      hops: {
        venue: venue.read(),
        ingest: ingest.read(),
        aggregator: aggregator.read(),
        gateway: gateway.read(),
      },
    }
  }
}

/** Counts by the second, one more than are read: the running one is not over. */
class Rate {
  readonly #seconds = new Float64Array(spanSeconds + 1)
  readonly #counts = new Float64Array(spanSeconds + 1)

  add(now: number): void {
    const second = Math.floor(now / 1_000)
    const at = second % this.#seconds.length
    if (this.#seconds[at] !== second) {
      this.#seconds[at] = second
      this.#counts[at] = 0
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  perSecond(now: number): number {
    const current = Math.floor(now / 1_000)
    let sum = 0
    for (const [at, second] of this.#seconds.entries()) {
      if (second < current && second >= current - spanSeconds) sum += this.#counts[at] ?? 0
    }
    return sum / spanSeconds
  }
}

class LatestSamples {
  readonly #samples = new Float64Array(samplesOfHop)
  #count = 0

  add(sample: number): void {
    this.#samples[this.#count % samplesOfHop] = sample
    this.#count += 1
  }

  read(): HopReading {
    const held = this.#samples.slice(0, Math.min(this.#count, samplesOfHop)).sort()
    if (held.length === 0) return { p50Ms: null, p99Ms: null }
    const at = (share: number): number => held[Math.floor((held.length - 1) * share)] ?? 0
    return { p50Ms: at(0.5), p99Ms: at(0.99) }
  }
}
