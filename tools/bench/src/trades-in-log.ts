import { recordsOf } from '@tickertape/end-to-end'
import type { RunningStack } from '@tickertape/stack'

export interface TradesInLog {
  readonly trades: number
  /** Trades whose id was there before. */
  readonly repeated: number
}

/** Reads market-events of an installation from its beginning to its end. */
export async function countTrades(stack: RunningStack, prefix: string): Promise<TradesInLog> {
  const known = new Set<string>()
  let trades = 0
  for await (const { record } of recordsOf(stack, prefix, 'market-events')) {
    if (record.type !== 'Trade') continue
    trades += 1
    known.add(`${record.value.instrument} ${record.value.tradeId}`)
  }
  return { trades, repeated: trades - known.size }
}
