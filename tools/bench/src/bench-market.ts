import { normalizeDecimal } from '@tickertape/market-model'
import type { InstrumentStatus, MarketEvent, Trade } from '@tickertape/market-model'

export const venue = 'deribit'
export const feedId = 'deribit'

/** Event time of every fill's first window; at a full minute. */
export const fillStart = Date.UTC(2026, 0, 5, 9, 30)

/** How long after an event the feed received it, in ms. */
const receivedAfterMs = 20

interface BenchInstrument {
  readonly name: string
  readonly kind: 'perpetual' | 'option'
  readonly quantityUnit: 'base' | 'quote'
  /** Powers of ten of a price tick and of the least quantity. */
  readonly priceExponent: number
  readonly quantityExponent: number
  /** In ticks; moves with every trade. */
  price: number
  sequence: number
}

/** Trades of made-up instruments with Deribit's names and facts: a random walk each, from one seed. */
export class BenchMarket {
  readonly #instruments: readonly BenchInstrument[]
  readonly #random: () => number
  #tradeNumber = 350_000_000

  constructor(instruments: number, seed = 1) {
    this.#instruments = Array.from({ length: instruments }, (_, index) => instrumentAt(index))
    this.#random = seededRandom(seed)
  }

  /** One record for each instrument: what ingest writes before the first trade. */
  listings(eventTime: number): readonly MarketEvent[] {
    return this.#instruments.map(({ name, kind, quantityUnit }) => {
      const status: InstrumentStatus = {
        instrumentId: `${venue}:${name}`,
        feedId,
        status: 'listed',
        eventTime,
        receivedAt: eventTime + receivedAfterMs,
        base: name.slice(0, 3),
        quote: 'USD',
        kind,
        quantityUnit,
      }
      return { type: 'InstrumentStatus', value: status }
    })
  }

  /** The next trade of an instrument, which its index names. */
  trade(index: number, eventTime: number): { readonly type: 'Trade'; readonly value: Trade } {
    const instrument = this.#instruments[index]
    if (instrument === undefined) throw new RangeError(`There is no instrument ${index}`)
    const random = this.#random
    const step = Math.floor(random() * 5) - 2
    instrument.price = Math.max(100, instrument.price + step)
    instrument.sequence += 1
    this.#tradeNumber += 1
    const exponent = instrument.priceExponent
    const price = normalizeDecimal({ mantissa: instrument.price, exponent })
    const quantity = normalizeDecimal({
      mantissa: 1 + Math.floor(random() * random() * 500),
      exponent: instrument.quantityExponent,
    })
    return {
      type: 'Trade',
      value: {
        venue,
        feedId,
        instrument: instrument.name,
        tradeId: String(this.#tradeNumber),
        version: 0,
        status: 'confirmed',
        sequence: instrument.sequence,
        venueOrder: null,
        price,
        quantity,
        notionalUsd: instrument.quantityUnit === 'quote' ? quantity : null,
        takerSide: random() < 0.5 ? 'buy' : 'sell',
        eventTime,
        receivedAt: eventTime + receivedAfterMs,
        indexPrice: { mantissa: 6_012_347, exponent: -2 },
        markPrice: normalizeDecimal({ mantissa: instrument.price + 1, exponent }),
        impliedVolatility: instrument.kind === 'option' ? { mantissa: 5_231, exponent: -2 } : null,
        liquidation: null,
        tickDirection: step > 0 ? 0 : step < 0 ? 2 : 1,
        counterparty: null,
        book: null,
        maturesAt: null,
        txHash: null,
        baseToken: null,
        quoteToken: null,
      },
    }
  }

  /** In place, by the market's own random numbers. */
  shuffle(values: number[]): void {
    for (let last = values.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.#random() * (last + 1))
      const [a = 0, b = 0] = [values[last], values[other]]
      values[last] = b
      values[other] = a
    }
  }
}

export function heartbeat(upTo: number): MarketEvent {
  return {
    type: 'FeedHeartbeat',
    value: { feedId, replicaId: 'a', upTo, receivedAt: upTo + receivedAfterMs },
  }
}

const perpetuals = [
  { name: 'BTC-PERPETUAL', unit: 'quote', priceExponent: -1, quantityExponent: 1, price: 601_230 },
  { name: 'ETH-PERPETUAL', unit: 'quote', priceExponent: -2, quantityExponent: 0, price: 312_455 },
  {
    name: 'SOL_USDC-PERPETUAL',
    unit: 'base',
    priceExponent: -2,
    quantityExponent: -1,
    price: 14_512,
  },
  {
    name: 'XRP_USDC-PERPETUAL',
    unit: 'base',
    priceExponent: -4,
    quantityExponent: 0,
    price: 20_344,
  },
] as const

const expiries = ['16JAN26', '30JAN26', '27FEB26', '27MAR26', '26JUN26', '25SEP26', '25DEC26']
const strikesOfExpiry = 400

/** Four perpetuals, two of them inverse, then options by underlying, expiry and strike. */
function instrumentAt(index: number): BenchInstrument {
  const perpetual = perpetuals[index]
  if (perpetual !== undefined) {
    const { name, unit, priceExponent, quantityExponent, price } = perpetual
    const facts = { name, kind: 'perpetual', quantityUnit: unit, priceExponent } as const
    return { ...facts, quantityExponent, price, sequence: 0 }
  }
  const option = index - perpetuals.length
  const strike = 30_000 + (Math.floor(option / 2) % strikesOfExpiry) * 250
  const series = Math.floor(option / (2 * strikesOfExpiry))
  const expiry = expiries[series % expiries.length] ?? ''
  const underlying = series < expiries.length ? 'BTC' : 'ETH'
  if (series >= 2 * expiries.length) throw new RangeError('No more options have names of their own')
  return {
    name: `${underlying}-${expiry}-${strike}-${option % 2 === 0 ? 'C' : 'P'}`,
    kind: 'option',
    quantityUnit: 'base',
    priceExponent: -4,
    quantityExponent: -1,
    price: 500 + (option % 300),
    sequence: 0,
  }
}

/** Mulberry32 by Tommy Ettinger (public domain): equal seeds give equal numbers in [0, 1). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
