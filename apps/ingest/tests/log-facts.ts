import { formatDecimal, instrumentIdOf, parseDecimal } from '@tickertape/market-model'
import type { FeedCursor, MarketEvent, Trade } from '@tickertape/market-model'
import type { RunningSimulator, Venue } from '@tickertape/market-simulator'

import { marketStart } from './ingest-run.ts'
import type { ReadRecord } from './topic-tail.ts'

export type LogRecord = ReadRecord<MarketEvent>

/** A trade as log and simulator can both tell it. */
export interface PlainTrade {
  readonly sequence: number
  readonly tradeId: string
  readonly version: number
  readonly status: string
  readonly eventTime: number
  readonly price: string
  readonly quantity: string
  readonly takerSide: string
}

/** The log's trades of an instrument, the first record of each identity, in the order of the log. */
export function tradesOf(records: readonly LogRecord[], instrument: string): readonly PlainTrade[] {
  const known = new Set<string>()
  const trades: PlainTrade[] = []
  for (const { value } of records) {
    if (value.type !== 'Trade' || value.value.instrument !== instrument) continue
    const { tradeId, version } = value.value
    const identity = `${tradeId} ${version}`
    if (known.has(identity)) continue
    known.add(identity)
    trades.push(plainTrade(value.value))
  }
  return trades
}

/** Records whose identity stood in the log before, and those of them that tell another trade. */
export function duplicatesOf(records: readonly LogRecord[]): {
  readonly count: number
  readonly conflicts: readonly string[]
} {
  const first = new Map<string, string>()
  const conflicts: string[] = []
  let count = 0
  for (const { value } of records) {
    if (value.type !== 'Trade') continue
    const { tradeId, version } = value.value
    const identity = `${instrumentIdOf(value.value)} ${tradeId} ${version}`
    const told = JSON.stringify(plainTrade(value.value))
    const before = first.get(identity)
    if (before === undefined) first.set(identity, told)
    else count += 1
    if (before !== undefined && before !== told) conflicts.push(`${before} and ${told}`)
  }
  return { count, conflicts }
}

/**
 * Trades that come, for the first time, behind a heartbeat of their partition that covers their time:
 * each is a lie of that heartbeat. What a later version of a trade says is no news of its time.
 */
export function liesOf(records: readonly LogRecord[]): readonly string[] {
  const upTo = new Map<number, number>()
  const known = new Set<string>()
  const lies: string[] = []
  for (const { partition, offset, value } of records) {
    if (value.type === 'FeedHeartbeat') {
      upTo.set(partition, Math.max(upTo.get(partition) ?? 0, value.value.upTo))
    }
    if (value.type !== 'Trade' || value.value.version > 0) continue
    const { eventTime, sequence } = value.value
    const identity = `${instrumentIdOf(value.value)} ${value.value.tradeId}`
    const covered = upTo.get(partition) ?? 0
    if (!known.has(identity) && eventTime <= covered) {
      lies.push(
        `${identity} (sequence ${sequence}) of ${eventTime} at ${partition}:${offset}, behind upTo ${covered}`,
      )
    }
    known.add(identity)
  }
  return lies
}

/** Cursors that stand beyond what the log holds without a hole. */
export function cursorsAhead(
  cursors: readonly ReadRecord<FeedCursor>[],
  records: readonly LogRecord[],
): readonly string[] {
  return cursors.flatMap(({ value: { instrument, sequence } }) => {
    const [first] = tradesOf(records, instrument)
    // The beginning, written before the first trade.
    if (sequence === null || first === undefined || sequence < first.sequence) return []
    const delivered = new Set(tradesOf(records, instrument).map((trade) => trade.sequence))
    for (let next = first.sequence; next <= sequence; next += 1) {
      if (!delivered.has(next)) return [`${instrument}: cursor ${sequence}, ${next} not in the log`]
    }
    return []
  })
}

/** What the venue traded from the beginning up to a time. */
export function truthOf(
  simulator: RunningSimulator,
  venue: Venue,
  instrument: string,
  until: number,
): readonly PlainTrade[] {
  const { trades } = simulator.markets.get(venue)?.history({
    instrument,
    fromTime: marketStart + 1,
    toTime: until,
    publishedBy: Infinity,
    limit: Infinity,
    newestFirst: false,
  }) ?? { trades: [] }
  return trades.map((trade) => {
    const { sequence, tradeId, version = 0, status = 'confirmed', eventTime, takerSide } = trade
    const price = plainDigits(trade.price)
    const quantity = plainDigits(trade.quantity)
    return { sequence, tradeId, version, status, eventTime, price, quantity, takerSide }
  })
}

/** The number by which the venue shows that nothing is missing: the trade's, or that of the event that tells of it. */
export function sequenceOf({ sequence, venue, venueOrder }: Trade): number | null {
  return venue === 'otc' || venue === 'swaps' ? venueOrder : sequence
}

export function plainTrade(trade: Trade): PlainTrade {
  const { eventTime, price, quantity, status, takerSide, tradeId, version } = trade
  return {
    sequence: sequenceOf(trade) ?? Number.NaN,
    tradeId,
    version,
    status,
    eventTime,
    price: formatDecimal(price),
    quantity: formatDecimal(quantity),
    takerSide,
  }
}

function plainDigits(text: string): string {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`Not a number: ${text}`)
  return formatDecimal(value)
}
