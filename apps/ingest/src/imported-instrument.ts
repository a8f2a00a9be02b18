import { noneOffered } from './delivery.ts'
import type { Place } from './delivery.ts'
import { cursorKey } from './feed-cursors.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'

/** An import is read by one process: no other replica fills its holes. */
export const importReplicaId = 'import'

export interface ImportedInstrumentOptions {
  readonly feedId: string
  readonly instrument: string
  readonly instrumentId: string
  readonly log: MarketLog
  /** Of an earlier run of the same import. */
  readonly cursor: Place | undefined
}

/** Trades behind a hole before it is given up: what an import misses does not come by itself. */
const maxWaiting = 10_000

/**
 * What an import writes of one instrument: its trades in order, holes as gaps that nothing fills, heartbeats
 * of a feed of its own, and a cursor from which the same import goes on.
 */
export class ImportedInstrument {
  readonly counts = noneOffered()
  readonly instrument: string
  readonly #options: ImportedInstrumentOptions
  #delivery: InstrumentDelivery
  /** Of trades without a sequence, in the cursor's place. */
  #lastTime: number
  #gaps = 0

  constructor(options: ImportedInstrumentOptions) {
    this.#options = options
    this.instrument = options.instrument
    this.#delivery = this.#deliveryFrom(options.cursor)
    this.#lastTime = options.cursor?.eventTime ?? 0
    if (options.cursor === undefined) this.#delivery.beginWithStream()
  }

  /** Last sequence that is written; undefined before the first one. */
  get position(): number | undefined {
    return this.#delivery.position
  }

  /** Newest event time written, in ms; 0 before the first one. */
  get lastTime(): number {
    return this.#lastTime
  }

  get gaps(): number {
    return this.#gaps
  }

  /** The trade with this sequence is the first one; to be called before any was taken. */
  beginWith(sequence: number): void {
    const { feedId, instrument } = this.#options
    this.#delivery = this.#deliveryFrom({
      feedId,
      replicaId: importReplicaId,
      instrument,
      sequence: sequence - 1,
      eventTime: 0,
      tradeIds: [],
    })
  }

  take(mapped: MappedTrade): void {
    const { counts } = this
    const time = mapped.kind === 'trade' ? mapped.trade.eventTime : 0
    if (mapped.kind === 'trade' && mapped.sequence === null) {
      // In the order of the file; what an earlier run has written may be written once more.
      if (time < this.#lastTime) return
      this.#options.log.trade(mapped.trade)
      counts.delivered += 1
    } else {
      this.#delivery.offer(mapped, counts)
      if (this.#delivery.waitingCount > maxWaiting) this.giveUpHoles()
    }
    this.#lastTime = Math.max(this.#lastTime, time)
  }

  /** What is missing before trades that wait is not to come. */
  giveUpHoles(): void {
    while (this.#delivery.missing !== undefined) {
      if (this.#delivery.giveUp(this.#lastTime, this.counts) !== undefined) this.#gaps += 1
    }
  }

  /** Trades at the beginning of the range that the venue no longer has. */
  tellMissing(fromTime: number, toTime: number): void {
    const { feedId, instrumentId, log } = this.#options
    this.#gaps += 1
    log.gap({
      gapId: `${feedId}|${importReplicaId}|${instrumentId}|beginning`,
      feedId,
      replicaId: importReplicaId,
      instrumentId,
      fromTime,
      toTime: Math.max(toTime, fromTime + 1),
      fromSequence: null,
      toSequence: null,
      state: 'unrecoverable',
    })
  }

  /** Everything up to this time is written, unless something waits behind a hole. */
  async vouch(upTo: number): Promise<void> {
    const { feedId, instrument, log } = this.#options
    if (this.#delivery.missing !== undefined) return
    log.heartbeat({ feedId, replicaId: importReplicaId, upTo, receivedAt: Date.now() })
    await log.acknowledged()
    const sequence = this.position ?? null
    const place = { sequence, eventTime: this.#lastTime, tradeIds: [] }
    // It is read once and by one process: no other one vouches for it, and what is missing is given up.
    const feed = { upTo, vouchesFrom: null, openGaps: [] }
    const cursor = { feedId, replicaId: importReplicaId, instrument, ...place, ...feed }
    log.cursor(cursorKey(cursor, instrument), cursor)
  }

  #deliveryFrom(cursor: Place | undefined): InstrumentDelivery {
    const { feedId, instrument, instrumentId, log } = this.#options
    const names = { feedId, replicaId: importReplicaId, instrument, instrumentId }
    const sequenced = typeof cursor?.sequence === 'number' ? cursor : undefined
    return new InstrumentDelivery({ ...names, log, cursor: sequenced })
  }
}
