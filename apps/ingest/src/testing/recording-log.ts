import type { OutgoingRecord } from '@tickertape/kafka-avro'
import type { MarketEvent } from '@tickertape/market-model'

import { MarketLog } from '../market-log.ts'

/** Values as JSON, so that a test reads what was written. */
const json = { serialize: (record: unknown): Buffer => Buffer.from(JSON.stringify(record)) }

/** A MarketLog into memory, whose broker acknowledges at once or when it is told to. */
export class RecordingLog {
  readonly records: OutgoingRecord[] = []
  readonly log: MarketLog
  #acknowledged = 0
  #holding = false
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = []

  constructor(maxInFlight = 1_000_000) {
    const inFlight = (): number => this.records.length - this.#acknowledged
    this.log = new MarketLog({
      producer: {
        get inFlight() {
          return inFlight()
        },
        produce: (record) => {
          this.records.push(record)
          if (!this.#holding) this.#acknowledged = this.records.length
        },
        acknowledged: () => {
          const target = this.records.length
          return this.#when(() => this.#acknowledged >= target)
        },
        whenInFlightBelow: (limit) => this.#when(() => inFlight() < limit),
      },
      marketEvents: json,
      feedCursors: json,
      feed: { venue: 'deribit', feedId: 'deribit' },
      partitions: 2,
      topicPrefix: '',
      maxInFlight,
    })
  }

  /** From now on the broker acknowledges nothing. */
  holdBack(): void {
    this.#holding = true
  }

  acknowledgeAll(): void {
    this.#holding = false
    this.#acknowledged = this.records.length
    const reached = this.#waiting.filter((each) => each.reached())
    this.#waiting = this.#waiting.filter((each) => !reached.includes(each))
    for (const { resolve } of reached) resolve()
  }

  /** What stands in market-events, in the order of writing; a heartbeat once for each partition. */
  get events(): readonly MarketEvent[] {
    return this.records
      .filter(({ topic }) => topic === 'market-events')
      .map(({ value }) => JSON.parse(String(value)) as MarketEvent) // As `json` has written it.
  }

  /** The written trades' sequences, in order. */
  get sequences(): readonly (number | null)[] {
    return this.events.flatMap(({ type, value }) => (type === 'Trade' ? [value.sequence] : []))
  }

  #when(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ reached, resolve }))
  }
}
