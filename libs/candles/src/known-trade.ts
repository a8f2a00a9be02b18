import type { StoredWindow } from '@tickertape/market-model'
import type { CountedTrade } from './counted-trade.ts'
import type { InstrumentProgress } from './instrument-progress.ts'
import type { OpenWindow } from './open-window.ts'
import { hashOfId } from './id-index.ts'

/** Where a trade is known from, before the log is asked. */
export type KnownTrade =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'open'; readonly window: OpenWindow; readonly trade: CountedTrade }
  /** One of these windows may hold it: the log tells. */
  | { readonly kind: 'stored'; readonly windows: readonly StoredWindow[] }
  /** Its sequence was taken in a window that is closed, and nothing more is asked, or forgotten. */
  | { readonly kind: 'covered' }

const unknown: KnownTrade = Object.freeze({ kind: 'unknown' })
const covered: KnownTrade = Object.freeze({ kind: 'covered' })

export function findKnown(
  instrument: InstrumentProgress,
  trade: CountedTrade,
  lowestMs: number,
): KnownTrade {
  const { sequence } = trade
  if (sequence === null) return findById(instrument, trade, lowestMs)
  if (!instrument.seen.has(sequence)) return unknown
  const own = windowOf(instrument, trade.eventTime, lowestMs)
  const inOwn = own?.find(trade)
  if (own !== undefined && inOwn !== undefined) return { kind: 'open', window: own, trade: inOwn }
  for (const window of instrument.openWindows.values()) {
    const found = window.find(trade)
    if (found !== undefined) return { kind: 'open', window, trade: found }
  }
  // A copy of a trade in a closed window, as each second replica sends, is not worth a look at the log.
  const isCopy = trade.version === 0 && trade.status === 'confirmed'
  const { closedUntil } = instrument
  for (const window of instrument.lowest.before(Infinity)) {
    if (isCopy && window.sums.windowStart + lowestMs <= closedUntil) return covered
    if (window.sequences.some(({ from, to }) => sequence >= from && sequence <= to)) {
      return { kind: 'stored', windows: [window] }
    }
  }
  return covered
}

/** The open window that a time falls into. */
export function windowOf(
  instrument: InstrumentProgress,
  eventTime: number,
  lowestMs: number,
): OpenWindow | undefined {
  const { recent } = instrument
  if (recent !== undefined && eventTime >= recent.start && eventTime < recent.end) return recent
  const window = instrument.openWindows.get(Math.floor(eventTime / lowestMs) * lowestMs)
  if (window !== undefined) instrument.recent = window
  return window
}

function findById(
  instrument: InstrumentProgress,
  { tradeId }: CountedTrade,
  lowestMs: number,
): KnownTrade {
  const open = instrument.openIds.get(tradeId)
  if (open !== undefined) {
    const window = windowOf(instrument, open.eventTime, lowestMs)
    if (window !== undefined) return { kind: 'open', window, trade: open }
  }
  if (instrument.storedIds.size === 0) return unknown
  const windows = instrument.storedIds
    .windowsOf(hashOfId(tradeId))
    .map((start) => instrument.lowest.get(start))
    .filter((window) => window !== undefined)
  return windows.length === 0 ? unknown : { kind: 'stored', windows }
}
