import type { Beginning, DeliveryNames, OfferedCounts, Place } from './delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import type { MarketLog } from './market-log.ts'

export interface UnsequencedDeliveryOptions extends DeliveryNames {
  readonly log: MarketLog
}

/** What the last trades that a venue still tells prove of those before them. */
export type Overlap =
  /** One of them was delivered: those behind it are all that there was. */
  | { readonly outcome: 'whole' }
  /** None was: what happened in between is not known. */
  | { readonly outcome: 'unproven'; readonly fromTime: number; readonly toTime: number }

/** Ids that are remembered: more than a venue tells of the past at once, and than a reconnect repeats. */
const maxKnown = 5_000

/** Ids in a cursor: any one of them among the venue's last trades proves that nothing is missing. */
const maxInCursor = 20

interface Cut {
  readonly place: number
  readonly eventTime: number | undefined
  /** The last ids before it, the oldest first. */
  readonly ids: readonly string[]
  /** What went on delivering there and may prove that there was no cut; undefined if nothing did. */
  beside: object | undefined
}

/**
 * The way into the log of an instrument whose trades have no sequence: as they come, each id once. That
 * nothing is missing shows only after a cut, by an id that was delivered among the venue's last trades.
 */
export class UnsequencedDelivery {
  readonly kind = 'unsequenced'
  readonly isWhole = true
  readonly waitingCount = 0
  readonly instrument: string
  readonly instrumentId: string
  readonly #options: UnsequencedDeliveryOptions
  /** The last ids delivered, the oldest first, each with its place among all that were. */
  readonly #known = new Map<string, number>()
  #lastPlace = 0
  /** Where the connection ended that brought what lies before; undefined once the cut is judged. */
  #cut: Cut | undefined
  /** Cuts so far, judged or not, and how many of them have no subscription behind them yet. */
  #cuts = 0
  #unended = 0
  #beginning: Beginning
  /** Of the newest trade delivered. */
  #eventTime: number | undefined
  listed = false

  constructor(options: UnsequencedDeliveryOptions) {
    const { cursor } = options
    this.#options = options
    this.instrument = options.instrument
    this.instrumentId = options.instrumentId
    for (const id of cursor?.tradeIds ?? []) this.#know(id)
    this.#eventTime = cursor?.eventTime || undefined
    this.#beginning =
      cursor === undefined
        ? 'unknown'
        : cursor.tradeIds.length === 0
          ? 'at the first trade'
          : 'known'
  }

  get beginning(): Beginning {
    return this.#beginning
  }

  /** There is none; see Delivery. */
  get position(): undefined {
    return undefined
  }

  get deliveredUpTo(): number | undefined {
    return this.#eventTime === undefined ? undefined : this.#eventTime - 1
  }

  /**
   * Stands before a cut until that is judged: what came behind it proves nothing of it to whoever begins
   * with the cursor.
   */
  get cursor(): Place | undefined {
    const { feedId, replicaId, instrument } = this.#options
    if (this.#known.size === 0 && this.#beginning !== 'at the first trade') return undefined
    return {
      feedId,
      replicaId,
      instrument,
      sequence: null,
      eventTime: (this.#cut === undefined ? this.#eventTime : this.#cut.eventTime) ?? 0,
      tradeIds: this.#cut?.ids ?? this.#lastIds(),
    }
  }

  /** @param recent the venue's last trades before we subscribe: those are not ours. */
  beginBehindRecent(recent: readonly MappedTrade[]): void {
    this.#beginning = recent.length === 0 ? 'at the first trade' : 'known'
    for (const mapped of recent) if (mapped.kind === 'trade') this.#remember(mapped)
  }

  beginWithStream(): void {
    this.#beginning = 'with the stream'
  }

  offer(mapped: MappedTrade, counts: OfferedCounts): void {
    const { log } = this.#options
    if (mapped.kind === 'rejected') {
      log.reject({ ...mapped, instrumentId: this.instrumentId })
      counts.rejected += 1
    } else if (this.#known.has(identityOf(mapped))) {
      counts.duplicates += 1
    } else {
      this.#remember(mapped)
      log.trade(mapped.trade)
      counts.delivered += 1
    }
  }

  /**
   * A connection is about to deliver: what it brings proves nothing of what came before it.
   *
   * @param beside the connection that goes on delivering meanwhile, if there is one.
   * @returns to be called once the venue has answered the subscription, or will not: what is missing ends there.
   */
  cut(beside?: object): () => void {
    this.#cut ??= {
      place: this.#lastPlace,
      eventTime: this.#eventTime,
      ids: this.#lastIds(),
      beside,
    }
    if (beside === undefined) this.#cut.beside = undefined
    this.#cuts += 1
    this.#unended += 1
    return () => {
      this.#unended -= 1
    }
  }

  /**
   * Which cuts the venue's last trades judge that are asked for now; undefined while a subscription is under way: what
   * the venue tells before its end is not all that is missing.
   */
  get judged(): number | undefined {
    return this.#unended > 0 ? undefined : this.#cuts
  }

  /**
   * A connection went on until the one beside it delivered: there was no cut between them. One before that,
   * which is not judged yet, stays.
   */
  overlapped(beside: object): void {
    if (this.#cut?.beside === beside) this.#cut = undefined
  }

  /**
   * Takes the venue's last trades, asked for behind all cuts that there were; see `judged`.
   *
   * @param recent the oldest first; `unknown` if the venue refuses to tell.
   * @param venueTime for a stretch without an end.
   */
  match(
    recent: readonly MappedTrade[] | 'unknown',
    venueTime: number,
    counts: OfferedCounts,
  ): Overlap {
    const place = this.#cut?.place ?? this.#lastPlace
    const eventTime = this.#cut === undefined ? this.#eventTime : this.#cut.eventTime
    this.#cut = undefined
    if (recent === 'unknown') {
      return { outcome: 'unproven', fromTime: eventTime ?? venueTime, toTime: venueTime + 1 }
    }
    const overlap = recent.findIndex(
      (mapped) =>
        mapped.kind === 'trade' && (this.#known.get(identityOf(mapped)) ?? Infinity) <= place,
    )
    const oldest = recent.find((mapped) => mapped.kind === 'trade')
    // What lies before an id that was delivered was delivered too, or is older than what is remembered.
    for (const mapped of recent.slice(overlap + 1)) this.offer(mapped, counts)
    const isBeginning = place === 0 && this.#beginning === 'at the first trade'
    if (overlap >= 0 || oldest === undefined || isBeginning) return { outcome: 'whole' }
    const toTime = oldest.trade.eventTime + 1
    return { outcome: 'unproven', fromTime: Math.min(eventTime ?? toTime, toTime - 1), toTime }
  }

  #lastIds(): readonly string[] {
    return [...this.#known.keys()].slice(-maxInCursor)
  }

  #remember(mapped: MappedTrade & { readonly kind: 'trade' }): void {
    this.#know(identityOf(mapped))
    this.#eventTime = Math.max(this.#eventTime ?? 0, mapped.trade.eventTime)
  }

  #know(id: string): void {
    this.#lastPlace += 1
    this.#known.set(id, this.#lastPlace)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxKnown) break
      this.#known.delete(oldest)
    }
  }
}

/** A later version of a trade is no duplicate of it. */
function identityOf({ trade }: MappedTrade & { readonly kind: 'trade' }): string {
  return trade.version === 0 ? trade.tradeId : `${trade.tradeId} ${trade.version}`
}
