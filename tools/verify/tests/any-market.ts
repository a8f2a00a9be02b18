import fc from 'fast-check'

import type { MarketEvent, Trade } from '@tickertape/market-model'

import { base, heartbeat, trade } from './stored-market.ts'

const kind = fc.oneof(
  { weight: 12, arbitrary: fc.constant('trade' as const) },
  { weight: 2, arbitrary: fc.constant('trade without a sequence' as const) },
  { weight: 1, arbitrary: fc.constant('pending trade' as const) },
  { weight: 1, arbitrary: fc.constant('trade from the future' as const) },
  { weight: 1, arbitrary: fc.constant('trade without a price' as const) },
  { weight: 1, arbitrary: fc.constant('duplicate' as const) },
  { weight: 1, arbitrary: fc.constant('gap' as const) },
  { weight: 5, arbitrary: fc.constant('heartbeat' as const) },
  { weight: 1, arbitrary: fc.constant('heartbeat from the future' as const) },
)

const step = fc.record({
  kind,
  instrument: fc.constantFrom('BTC-PERPETUAL', 'ETH-PERPETUAL'),
  passesMs: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 0, max: 800 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  ),
  /** Out of order, and sometimes late. */
  behindMs: fc.constantFrom(0, 0, 0, 0, 1, 300, 900, 5_000),
  price: fc.record({
    mantissa: fc.oneof(fc.integer({ min: 1, max: 10_000_000 }), fc.bigInt(1n, 10n ** 25n)),
    exponent: fc.integer({ min: -18, max: 3 }),
  }),
  quantity: fc.record({
    mantissa: fc.integer({ min: 1, max: 1_000_000 }),
    exponent: fc.integer({ min: -18, max: 2 }),
  }),
  notional: fc.option(fc.integer({ min: 0, max: 10_000 }), { freq: 10 }),
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A log with everything that can stand in one: late, future and unusable trades, gaps, duplicates. */
export const anyMarket: fc.Arbitrary<readonly MarketEvent[]> = fc
  .array(step, { minLength: 20, maxLength: 120 })
  .map(toEvents)

function toEvents(steps: readonly Step[]): readonly MarketEvent[] {
  const events: MarketEvent[] = []
  let now = 0
  for (const [number, at] of steps.entries()) {
    now += at.passesMs
    const event =
      at.kind === 'duplicate' ? lastTrade(events) : makers[at.kind](toMoment(at, number, now))
    if (event !== undefined) events.push(event)
  }
  return [...events, heartbeat(now + 1_000)]
}

function lastTrade(events: readonly MarketEvent[]): MarketEvent | undefined {
  return events.findLast(({ type }) => type === 'Trade')
}

/** A step and what it says of a trade. */
interface Moment {
  readonly at: Step
  readonly number: number
  /** ms after the market's beginning: of the step, and of what it tells. */
  readonly now: number
  readonly time: number
  readonly changes: Partial<Trade>
}

const makers: Readonly<
  Record<Exclude<Step['kind'], 'duplicate'>, (moment: Moment) => MarketEvent>
> = {
  trade: ({ number, time, changes }) => trade(number, time, changes),
  'trade without a sequence': ({ at, number, time, changes }) =>
    trade(number, time, {
      ...changes,
      instrument: 'OTC',
      sequence: null,
      venueOrder: at.notional,
      tradeId: `${['é', 'Z', 'a', '\u{1F600}', '\uFFFD'][number % 5]}${number}`,
    }),
  'pending trade': ({ number, time, changes }) =>
    trade(number, time, { ...changes, status: 'pending' }),
  'trade from the future': ({ number, now, changes }) => trade(number, now + 5_001, changes),
  'trade without a price': ({ number, time, changes }) =>
    trade(number, time, { ...changes, price: { mantissa: 0, exponent: 0 } }),
  gap: ({ at, number, now }) => gap(at, number, now),
  heartbeat: ({ time }) => heartbeat(time),
  'heartbeat from the future': ({ now }) => ({
    type: 'FeedHeartbeat',
    value: {
      feedId: 'deribit',
      replicaId: 'a',
      upTo: base + now + 1_000_000,
      receivedAt: base + now,
    },
  }),
}

function toMoment(at: Step, number: number, now: number): Moment {
  const changes = {
    instrument: at.instrument,
    price: at.price,
    quantity: at.quantity,
    notionalUsd: at.notional === null ? null : { mantissa: at.notional, exponent: -1 },
    receivedAt: base + now,
  }
  return { at, number, now, time: Math.max(0, now - at.behindMs), changes }
}

function gap(at: Step, number: number, now: number): MarketEvent {
  return {
    type: 'SequenceGap',
    value: {
      gapId: `gap ${number}`,
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId: at.notional === null ? null : `deribit:${at.instrument}`,
      fromTime: base + now,
      toTime: base + now + at.behindMs,
      fromSequence: null,
      toSequence: null,
      state: number % 2 === 0 ? 'unrecoverable' : 'backfilled',
    },
  }
}
