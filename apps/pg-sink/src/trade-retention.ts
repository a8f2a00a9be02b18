import { setTimeout as wait } from 'node:timers/promises'

import { tradeDay } from '@tickertape/market-store'

export interface TradeUpkeep {
  /** Makes the partitions of these days, in days since the epoch. */
  readonly ensure: (days: ReadonlySet<number>) => Promise<void>
  /** Drops the partitions of earlier days. */
  readonly dropBefore: (day: number) => Promise<void>
}

/** Partitions are there before their day begins. */
const daysAhead = 2
/** A clock that is put right, and a machine that slept, are noticed by then. */
const longestWaitMs = 600_000

/**
 * Keeps the partitions of trades, at start and from then on whenever a new UTC day begins: those of today and the
 * days ahead are made, those beyond the retention dropped.
 *
 * @param retentionDays 0 keeps all.
 */
export async function keepTradePartitions(
  upkeep: TradeUpkeep,
  retentionDays: number,
  signal: AbortSignal,
): Promise<void> {
  let kept: number | undefined
  while (!signal.aborted) {
    const today = tradeDay(Date.now())
    if (today !== kept) {
      const ahead = Array.from({ length: daysAhead + 1 }, (_, number) => today + number)
      await upkeep.ensure(new Set(ahead))
      if (retentionDays > 0) await upkeep.dropBefore(today - retentionDays)
      kept = today
    }
    await wait(longestWaitMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
