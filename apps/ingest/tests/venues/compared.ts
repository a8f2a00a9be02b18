import { isDeepStrictEqual } from 'node:util'

import type { SequenceGap } from '@tickertape/market-model'

import type { IngestRun } from '../ingest-run.ts'
import { tradesOf, truthOf } from '../log-facts.ts'
import type { LogRecord, PlainTrade } from '../log-facts.ts'
import type { TestedMarket } from './tested-markets.ts'

/** What the venue traded of an instrument, in the words of the log. */
export function expectedTrades(
  { simulator }: IngestRun,
  { mapped, sequenced, venue }: TestedMarket,
  instrument: string,
  until: number,
): readonly PlainTrade[] {
  return truthOf(simulator, venue, instrument, until).map((trade) => {
    const told = mapped?.(trade, instrument) ?? trade
    return sequenced ? told : { ...told, sequence: Number.NaN }
  })
}

export interface Comparison {
  /** Trades that should be in the log and are not. */
  readonly missing: readonly PlainTrade[]
  /** Trades that the log tells otherwise, as it tells them. */
  readonly changed: readonly PlainTrade[]
}

export function compare(
  expected: readonly PlainTrade[],
  records: readonly LogRecord[],
  instrument: string,
): Comparison {
  const delivered = new Map(tradesOf(records, instrument).map((each) => [identityOf(each), each]))
  const missing: PlainTrade[] = []
  const changed: PlainTrade[] = []
  for (const trade of expected) {
    const found = delivered.get(identityOf(trade))
    if (found === undefined) missing.push(trade)
    else if (!isDeepStrictEqual(found, trade)) changed.push(found)
  }
  return { missing, changed }
}

/** Of a channel that gathers trades: the quantity of all whose times are not said to be lost. */
export function lotsOutside(
  trades: readonly PlainTrade[],
  gaps: readonly SequenceGap[],
  until: number,
): number {
  return trades
    .filter((trade) => trade.eventTime <= until && !isSaidLost(trade, gaps))
    .reduce((sum, { quantity }) => sum + Math.round(Number(quantity) * 1e8), 0)
}

export function isSaidLost({ eventTime }: PlainTrade, gaps: readonly SequenceGap[]): boolean {
  return gaps.some(
    ({ fromTime, state, toTime }) =>
      state === 'unrecoverable' && fromTime <= eventTime && eventTime < toTime,
  )
}

function identityOf({ tradeId, version }: PlainTrade): string {
  return `${tradeId} ${version}`
}
