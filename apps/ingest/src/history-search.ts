import type { MappedTrade } from './mapped-trade.ts'
import type { TradeHistory } from './trade-history.ts'

export interface FoundBeginning {
  /** Of the first trade at the time or later. */
  readonly sequence: number
  /** Its time, where the search has seen it. */
  readonly eventTime: number | undefined
  /** Whether the venue still has what came before: else trades since the time may be gone. */
  readonly isWhole: boolean
}

/** Sequences of a venue may have holes: so many are looked at before a whole page is asked for. */
const lookAt = 10

/**
 * Finds where an instrument's history reaches a time, by halving its sequences: histories are asked by
 * sequence, and times ascend with it.
 *
 * @returns undefined if there is no trade at the time or later.
 * @throws what the history throws.
 */
export async function firstSequenceSince(
  history: TradeHistory,
  instrument: string,
  time: number,
  signal: AbortSignal,
): Promise<FoundBeginning | undefined> {
  const newest = await history.newest(instrument, signal)
  const last = newest?.sequence
  if (newest === undefined || typeof last !== 'number') return undefined
  if (newest.kind === 'trade' && newest.trade.eventTime < time) return undefined
  let low = history.firstSequence
  let high = last
  let found = { sequence: last, eventTime: timeOf(newest) }
  let sawEarlier = false
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const trade = await firstFrom(history, instrument, middle, signal)
    if (trade !== undefined && trade.eventTime < time) {
      low = trade.sequence + 1
      sawEarlier = true
    } else {
      high = middle
      if (trade !== undefined) found = trade
    }
  }
  return {
    ...found,
    isWhole: sawEarlier || found.sequence === history.firstSequence,
  }
}

/** The first trade of a sequence or later that the venue still has. */
async function firstFrom(
  history: TradeHistory,
  instrument: string,
  sequence: number,
  signal: AbortSignal,
): Promise<{ readonly sequence: number; readonly eventTime: number } | undefined> {
  for (const to of [sequence + lookAt - 1, undefined]) {
    const { trades } = await history.page(instrument, sequence, to, signal)
    for (const mapped of trades) {
      const eventTime = timeOf(mapped)
      if (eventTime === undefined || typeof mapped.sequence !== 'number') continue
      if (mapped.sequence >= sequence) return { sequence: mapped.sequence, eventTime }
    }
  }
  return undefined
}

function timeOf(mapped: MappedTrade): number | undefined {
  return mapped.kind === 'trade' ? mapped.trade.eventTime : undefined
}
