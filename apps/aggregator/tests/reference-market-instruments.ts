import type { InstrumentKind, QuantityUnit } from '@tickertape/market-model'

export interface MarketInstrument {
  readonly venue: string
  readonly feedId: string
  readonly name: string
  readonly instrumentId: string
  /** null: the log never says. */
  readonly kind: InstrumentKind | null
  readonly quantityUnit: QuantityUnit | null
  readonly sequenced: boolean
  /** Has the venue's order among trades of equal time. */
  readonly ordered: boolean
  /** Its share of the trades; 0: quiet, a trade every few minutes. */
  readonly weight: number
  /** Neither gaps nor its feed's death touch it: what is late can be said without looking at the log. */
  readonly steady: boolean
  /** Traded by appointment: pending first, corrected and cancelled often. */
  readonly negotiated: boolean
}

function instrument(
  venue: string,
  name: string,
  weight: number,
  facts: Partial<MarketInstrument> = {},
): MarketInstrument {
  return {
    venue,
    feedId: venue,
    name,
    instrumentId: `${venue}:${name}`,
    kind: null,
    quantityUnit: null,
    sequenced: false,
    ordered: false,
    weight,
    steady: false,
    negotiated: false,
    ...facts,
  }
}

const sequenced = { sequenced: true } as const
const inverse = { ...sequenced, kind: 'perpetual', quantityUnit: 'quote' } as const
const spot = { ...sequenced, kind: 'spot', quantityUnit: 'base' } as const
const steady = { steady: true } as const

/** Of four partitions each holds instruments of two or more feeds. */
export const marketInstruments: readonly MarketInstrument[] = [
  instrument('deribit', 'BTC-PERPETUAL', 20, inverse),
  instrument('deribit', 'ETH-PERPETUAL', 12, inverse),
  instrument('deribit', 'SOL_USDC-PERPETUAL', 8, { ...sequenced, kind: 'perpetual' }),
  instrument('deribit', 'XRP_USDC-PERPETUAL', 0, { ...sequenced, ...steady, kind: 'perpetual' }),
  instrument('deribit', 'BTC-30JAN26', 5, { ...sequenced, ...steady, kind: 'future' }),
  instrument('deribit', 'BTC-FS-30JAN26_PERP', 3, { ...sequenced, ...steady, kind: 'combo' }),
  instrument('binance', 'BTCUSDT', 16, spot),
  instrument('binance', 'ETHUSDT', 8, spot),
  instrument('binance', 'BNBUSDT', 4, spot),
  instrument('binance', 'LTCUSDT', 0, spot),
  instrument('bybit', 'BTCUSDT', 6),
  instrument('bybit', 'ETHUSDT', 6, steady),
  instrument('bybit', 'DOGEUSDT', 4, steady),
  instrument('bybit', 'XRPUSDT', 0, steady),
  instrument('paradigm', 'BTC-OPTION', 2, { ...steady, negotiated: true, kind: 'option' }),
  instrument('paradigm', 'ETH-OPTION', 1, { ...steady, negotiated: true, kind: 'option' }),
  instrument('okx', 'BTC-USDT', 5, { ordered: true }),
  instrument('okx', 'ETH-USDT', 3, { ordered: true }),
]

/** The feed that takes over ETH-USDT after okx died. */
export const successorFeed = 'okx-backup'

export const feeds: readonly string[] = [
  ...new Set(marketInstruments.map(({ feedId }) => feedId)),
  successorFeed,
]

/** When what happens, in ms since the epoch. */
export interface Timeline {
  readonly begin: number
  /** No trade is made from here on. */
  readonly tradesEnd: number
  /** The last heartbeat: every window with a living feed is closed by then. */
  readonly end: number
  /** Both replicas of binance are silent. */
  readonly binanceDeath: Span
  /** One replica of deribit is silent, the other is not. */
  readonly replicaDeath: Span
  /** okx never speaks again. */
  readonly okxDeath: number
  readonly okxSuccession: number
  /** Of BTC-30JAN26. */
  readonly expiry: number
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** A day's start, and so that of a window of every interval. */
const begin = Date.UTC(2026, 0, 5)

/** @param tradingMs how long trades are made: at least 12 minutes, or the faults overlap. */
export function timelineOf(tradingMs: number): Timeline {
  const at = (fraction: number): number => begin + Math.floor((fraction * tradingMs) / 500) * 500
  return {
    begin,
    tradesEnd: begin + tradingMs,
    end: begin + tradingMs + 75_000,
    binanceDeath: { from: at(0.42), to: at(0.42) + 80_000 },
    replicaDeath: { from: at(0.4), to: at(0.5) },
    okxDeath: at(0.6),
    okxSuccession: at(0.7),
    expiry: at(0.55),
  }
}

export function isWithin(time: number, { from, to }: Span): boolean {
  return time >= from && time < to
}
