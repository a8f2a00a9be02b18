import type { StoredWindow } from '@tickertape/market-model'
import type { AggregationPlan } from './aggregation-settings.ts'
import type { CountedTrade, LoggedTrade } from './counted-trade.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import { instrumentIdOf, zero } from '@tickertape/market-model'
import { hashOfId, packHashes, unpackHashes } from './id-index.ts'
import { isWithin, mergeRanges } from './offset-ranges.ts'
import { SequenceSet } from './sequence-set.ts'
import { isCountable, isFromFuture } from './trade-checks.ts'
import { TradeSums, flatSums, withTrade } from './trade-sums.ts'

/** A stored window before anything is in it. */
export const emptyWindow: StoredWindow = Object.freeze({
  sums: flatSums(0, zero),
  openOrder: null,
  closeOrder: null,
  sequences: [],
  ids: null,
  offsets: [],
  revision: -1,
  pending: false,
  rebuildId: null,
  inverse: false,
  means: [],
  revisedMeans: null,
})

/** An open window as the changelog holds it: without its trades. */
export function storedWindow(window: OpenWindow): StoredWindow {
  const sums = window.sums()
  const ids = window.tradeIds()
  return {
    ...emptyWindow,
    sums: sums.toWindowSums(window.start),
    openOrder: sums.openOrder,
    closeOrder: sums.closeOrder,
    sequences: window.sequences().toRanges(),
    ids: ids.length === 0 ? null : packHashes(ids.map(hashOfId)),
    offsets: window.offsets,
    inverse: window.inverse,
  }
}

/** A stored window with one more record, whose trade it does not know yet. */
export function withRecord(
  window: StoredWindow,
  trade: CountedTrade,
  offset: number,
): StoredWindow {
  const known = withIdentity(window, trade, offset)
  if (trade.status !== 'confirmed') return known
  return { ...known, ...withTrade(window, trade, window.inverse) }
}

/** The same where all of its trades are at hand, those that do not count included. */
export function withTrades(window: StoredWindow, trades: readonly CountedTrade[]): StoredWindow {
  const sums = new TradeSums(window.inverse)
  for (const trade of trades) if (trade.status === 'confirmed') sums.add(trade)
  const { windowStart, close } = window.sums
  const { openOrder, closeOrder } = sums
  return {
    ...window,
    // Without trades it keeps its price, for there may be none before it.
    sums: openOrder === null ? flatSums(windowStart, close) : sums.toWindowSums(windowStart),
    openOrder,
    closeOrder,
  }
}

/** The window knows the record's trade: by its sequence, or by the hash of its id. */
export function withIdentity(
  window: StoredWindow,
  { sequence, tradeId }: CountedTrade,
  offset: number,
): StoredWindow {
  const offsets = mergeRanges([...window.offsets, { from: offset, to: offset }])
  if (sequence === null) {
    const ids = packHashes([...unpackHashes(window.ids), hashOfId(tradeId)])
    return { ...window, offsets, ids }
  }
  const sequences = SequenceSet.of(window.sequences)
  sequences.add(sequence)
  return { ...window, offsets, sequences: sequences.toRanges() }
}

/** The window no longer knows the trade: a higher version of it is in another one. */
export function withoutIdentity(
  window: StoredWindow,
  { sequence, tradeId }: CountedTrade,
): StoredWindow {
  if (sequence === null) {
    const hashes = unpackHashes(window.ids)
    hashes.splice(hashes.indexOf(hashOfId(tradeId)), 1)
    return { ...window, ids: hashes.length === 0 ? null : packHashes(hashes) }
  }
  const sequences = SequenceSet.of(window.sequences)
  sequences.delete(sequence)
  return { ...window, sequences: sequences.toRanges() }
}

/**
 * The known versions of a stored window's trades, from the log: of the records inside it, of trades that
 * the window knows, the highest version of each, and of equal versions the first.
 */
export function tradesOf(
  plan: AggregationPlan,
  instrument: InstrumentProgress,
  window: StoredWindow,
  logged: readonly LoggedTrade[],
): CountedTrade[] {
  const { windowStart } = window.sums
  const windowEnd = windowStart + (plan.levels[0]?.lengthMs ?? 0)
  const sequences = SequenceSet.of(window.sequences)
  const hashes = new Set(unpackHashes(window.ids))
  const known = new Map<number | string, CountedTrade>()
  for (const { offset, trade } of logged) {
    const { eventTime, sequence, tradeId } = trade
    if (eventTime < windowStart || eventTime >= windowEnd) continue
    if (instrumentIdOf(trade) !== instrument.instrumentId) continue
    if (!isWithin(window.offsets, offset)) continue
    const isKnown = sequence === null ? hashes.has(hashOfId(tradeId)) : sequences.has(sequence)
    if (!isKnown) continue
    // They were turned away when they were read for the first time.
    if (isFromFuture(eventTime, trade, plan) || !isCountable(trade, instrument.kind)) continue
    const key = sequence ?? tradeId
    const other = known.get(key)
    if (other === undefined || trade.version > other.version) known.set(key, trade)
  }
  return [...known.values()]
}
