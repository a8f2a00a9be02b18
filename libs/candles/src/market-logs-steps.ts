/** What may happen next in an arbitrary log. */
import type { Decimal, SequenceGap, Trade } from '@tickertape/market-model'
import fc from 'fast-check'

/** Not in the order of their ids. */
export const instruments = [
  {
    names: { venue: 'deribit', feedId: 'deribit', instrument: 'ETH' },
    sequenced: 'always',
    terms: { base: 'ETH', quote: 'USD', kind: 'perpetual', quantityUnit: 'quote' },
  },
  {
    names: { venue: 'deribit', feedId: 'deribit', instrument: 'BTC' },
    sequenced: 'always',
    terms: { base: 'BTC', quote: 'USDC', kind: 'future', quantityUnit: 'base' },
  },
  {
    // Not inverse: it is spot.
    names: { venue: 'bybit', feedId: 'deribit', instrument: 'BTC' },
    sequenced: 'never',
    terms: { base: 'BTC', quote: 'USD', kind: 'spot', quantityUnit: 'quote' },
  },
  {
    names: { venue: 'okx', feedId: 'deribit', instrument: 'BTC:COMBO' },
    sequenced: 'sometimes',
    terms: { base: 'BTC', quote: 'USDC', kind: 'combo', quantityUnit: 'contract' },
  },
  {
    names: { venue: 'binance', feedId: 'binance', instrument: 'SOL' },
    sequenced: 'always',
    terms: { base: null, quote: null, kind: null, quantityUnit: null },
  },
] as const

export type Correction = Partial<Pick<Trade, 'price' | 'quantity' | 'takerSide' | 'status'>> & {
  /** Added to the event time, in ms. */
  readonly shift?: number
}

export type Step =
  | {
      readonly kind: 'trade'
      readonly at: number
      readonly age: number
      readonly facts: Partial<Trade>
      readonly odd: Oddity
      readonly correction: Correction
    }
  /** A record of a trade once more: at any distance, or for the first time if it was withheld. */
  | { readonly kind: 'again'; readonly which: number }
  | {
      readonly kind: 'correction'
      readonly which: number
      readonly version: number
      readonly correction: Correction
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'heartbeat'; readonly feed: number; readonly lag: number }
  | {
      readonly kind: 'gap'
      readonly which: number
      readonly age: number
      readonly span: number
      readonly state: SequenceGap['state']
      readonly isNew: boolean
      readonly isOfFeed: boolean
      readonly isNarrower: boolean
      readonly hasSequences: boolean
    }
  | {
      readonly kind: 'status'
      readonly at: number
      readonly status: 'listed' | 'expired'
      readonly age: number
      readonly isDescribed: boolean
    }

/**
 * What is unusual about a trade. `ahead`: it leaves two sequences out; `filling`: it has one of
 * those; `withheld`: its correction comes first, or it never comes; `reused`: it has the id of an
 * earlier trade without sequence.
 */
const oddities = [
  'future',
  'invalid quantity',
  'invalid price',
  'invalid exponent',
  'pending',
  'cancelled',
  'ahead',
  'ahead',
  'filling',
  'filling',
  'withheld',
  'reused',
] as const
export type Oddity = (typeof oddities)[number] | null

/** Times fall together often, and on borders of windows. */
function inSteps(of: number, max: number): fc.Arbitrary<number> {
  return fc.nat(Math.floor(max / of)).map((count) => count * of)
}

const prices: fc.Arbitrary<Decimal> = fc.record(
  { mantissa: fc.integer({ min: 1, max: 5_000 }), exponent: fc.integer({ min: -3, max: 2 }) },
  { noNullPrototype: true },
)
const quantities: fc.Arbitrary<Decimal> = fc.record(
  {
    mantissa: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
      fc.integer({ min: 2 ** 52, max: 2 ** 53 - 2 }),
      fc.bigInt({ min: 2n ** 53n, max: 10n ** 25n }),
    ),
    exponent: fc.integer({ min: -18, max: 0 }),
  },
  { noNullPrototype: true },
)
const sides = fc.constantFrom('buy' as const, 'sell' as const, 'unknown' as const)

const corrections: fc.Arbitrary<Correction> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ status: 'cancelled' } as const) },
  { weight: 1, arbitrary: fc.constant({ status: 'pending' } as const) },
  { weight: 1, arbitrary: fc.constant({ status: 'confirmed' } as const) },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        price: prices,
        quantity: quantities,
        takerSide: sides,
        status: fc.constant('confirmed' as const),
        shift: fc.oneof(
          inSteps(50, 2_000).map((ms) => ms - 1_000),
          inSteps(500, 200_000).map((ms) => ms - 100_000),
        ),
      },
      { requiredKeys: ['status'], noNullPrototype: true },
    ),
  },
)

/** How long before the record its trade was. */
const ages = fc.oneof(
  { weight: 14, arbitrary: inSteps(50, 900) },
  { weight: 3, arbitrary: inSteps(50, 6_000) },
  { weight: 3, arbitrary: inSteps(250, 80_000) },
  { weight: 2, arbitrary: inSteps(1_000, 300_000) },
  { weight: 1, arbitrary: inSteps(1_000, 1_500_000) },
)

const trades = fc.record({
  kind: fc.constant('trade' as const),
  at: fc.nat(instruments.length - 1),
  age: ages,
  odd: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constantFrom(...oddities)),
  facts: fc.record(
    {
      price: prices,
      quantity: quantities,
      notionalUsd: fc.option(prices, { freq: 4 }),
      takerSide: sides,
      venueOrder: fc.option(fc.nat(5)),
    },
    { noNullPrototype: true },
  ),
  correction: corrections,
})

export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: trades },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('correction' as const),
      which: fc.nat(),
      // 0 contradicts a record.
      version: fc.nat(3),
      correction: corrections,
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        { weight: 6, arbitrary: inSteps(250, 1_500) },
        { weight: 3, arbitrary: inSteps(250, 60_000) },
        { weight: 1, arbitrary: inSteps(10_000, 500_000).map((ms) => ms + 200_000) },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      feed: fc.nat(3),
      lag: fc.oneof(
        { weight: 9, arbitrary: inSteps(100, 400) },
        { weight: 2, arbitrary: inSteps(500, 70_000) },
        inSteps(500, 7_000).map((ms) => -ms),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('gap' as const),
      which: fc.nat(),
      age: inSteps(250, 90_000),
      span: inSteps(250, 120_000).map((ms) => ms + 500),
      state: fc.constantFrom('open', 'open', 'backfilled', 'unrecoverable'),
      isNew: fc.boolean(),
      isOfFeed: fc.boolean(),
      isNarrower: fc.nat(4).map((drawn) => drawn === 0),
      hasSequences: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      at: fc.nat(instruments.length - 1),
      status: fc.constantFrom('listed', 'expired'),
      age: inSteps(250, 180_000).map((ms) => ms - 90_000),
      isDescribed: fc.boolean(),
    }),
  },
)
