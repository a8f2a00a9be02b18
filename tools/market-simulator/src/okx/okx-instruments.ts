import type { Instrument } from '../market/instrument.ts'

const usdtPair = { venue: 'okx', quote: 'USDT', inverse: false } as const

/** Spot sizes are in base; those of a swap count contracts. */
export const okxInstruments: readonly Instrument[] = [
  {
    ...usdtPair,
    name: 'BTC-USDT',
    base: 'BTC',
    kind: 'spot',
    tickUnits: 1,
    priceDecimals: 1,
    lotUnits: 1,
    quantityDecimals: 8,
    basePrice: 91_960,
    tradesPerMinute: 2400,
  },
  {
    ...usdtPair,
    name: 'ETH-USDT',
    base: 'ETH',
    kind: 'spot',
    tickUnits: 1,
    priceDecimals: 2,
    lotUnits: 1,
    quantityDecimals: 6,
    basePrice: 2949,
    tradesPerMinute: 1200,
  },
  {
    ...usdtPair,
    name: 'BTC-USDT-SWAP',
    base: 'BTC',
    kind: 'perpetual',
    tickUnits: 1,
    priceDecimals: 1,
    lotUnits: 1,
    quantityDecimals: 2,
    basePrice: 91_990,
    tradesPerMinute: 2400,
  },
]
