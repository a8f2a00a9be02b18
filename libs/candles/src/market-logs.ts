/** Arbitrary logs for tests: a few instruments of two feeds, with all that can go wrong in one. */
import type { Decimal, MarketEvent, SequenceGap, Trade } from '@tickertape/market-model'
import { noOptionalFacts, instrumentIdOf } from '@tickertape/market-model'
import fc from 'fast-check'

/** Start of a window of every interval up to 5m. */
export const epoch = 1_700_000_100_000

/** Any trade of `btc` unless told otherwise; a valid one. */
export function tradeEvent(facts: Partial<Trade>): MarketEvent & { readonly type: 'Trade' } {
  const eventTime = facts.eventTime ?? epoch
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC',
      tradeId: `id-${facts.sequence ?? eventTime}`,
      version: 0,
      status: 'confirmed',
      sequence: null,
      venueOrder: null,
      price: { mantissa: 971_235, exponent: -1 },
      quantity: { mantissa: 1, exponent: -2 },
      notionalUsd: null,
      takerSide: 'buy',
      eventTime,
      receivedAt: eventTime + 10,
      ...noOptionalFacts,
      ...facts,
    },
  }
}

export function heartbeat(upTo: number, feedId = 'deribit', receivedAt = upTo): MarketEvent {
  return { type: 'FeedHeartbeat', value: { feedId, replicaId: 'a', upTo, receivedAt } }
}

export function sequenceGap(facts: Partial<SequenceGap>): MarketEvent {
  return {
    type: 'SequenceGap',
    value: {
      gapId: 'gap-1',
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId: null,
      fromTime: epoch,
      toTime: epoch + 1_000,
      fromSequence: null,
      toSequence: null,
      state: 'open',
      ...facts,
    },
  }
}

export function instrumentStatus(
  status: 'listed' | 'expired',
  eventTime: number,
  instrumentId = 'deribit:BTC',
  feedId = 'deribit',
): MarketEvent {
  return {
    type: 'InstrumentStatus',
    value: { instrumentId, feedId, status, eventTime, receivedAt: eventTime },
  }
}

/** Not in the order of their ids. */
const instruments = [
  { venue: 'deribit', feedId: 'deribit', instrument: 'ETH', sequenced: 'always' },
  { venue: 'deribit', feedId: 'deribit', instrument: 'BTC', sequenced: 'always' },
  { venue: 'bybit', feedId: 'deribit', instrument: 'BTC', sequenced: 'never' },
  { venue: 'okx', feedId: 'deribit', instrument: 'BTC', sequenced: 'sometimes' },
  { venue: 'binance', feedId: 'binance', instrument: 'SOL', sequenced: 'always' },
] as const

const prices: fc.Arbitrary<Decimal> = fc.record(
  { mantissa: fc.integer({ min: 1, max: 5_000 }), exponent: fc.integer({ min: -3, max: 2 }) },
  { noNullPrototype: true },
)
const quantities: fc.Arbitrary<Decimal> = fc.record(
  {
    mantissa: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
      fc.integer({ min: 2 ** 52, max: 2 ** 53 - 1 }),
      fc.bigInt({ min: 2n ** 53n, max: 10n ** 25n }),
    ),
    exponent: fc.integer({ min: -18, max: 0 }),
  },
  { noNullPrototype: true },
)

type Step =
  | {
      readonly kind: 'trade'
      readonly facts: Partial<Trade>
      readonly at: number
      readonly age: number
      readonly fault: number
    }
  | { readonly kind: 'again'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'heartbeat'; readonly feed: number; readonly lag: number }
  | {
      readonly kind: 'gap'
      readonly which: number
      readonly age: number
      readonly span: number
      readonly state: SequenceGap['state']
    }
  | {
      readonly kind: 'status'
      readonly at: number
      readonly status: 'listed' | 'expired'
      readonly age: number
    }

const trades = fc.record({
  kind: fc.constant('trade' as const),
  at: fc.nat(instruments.length - 1),
  age: fc.oneof({ weight: 6, arbitrary: fc.nat(900) }, fc.nat(6_000)),
  // 0 to 2: wrong in one way; 3: ahead in the venue's numbering; 4 and 5: in a hole that 3 left.
  fault: fc.oneof({ weight: 12, arbitrary: fc.constant(-1) }, fc.nat(5)),
  facts: fc.record(
    {
      price: prices,
      quantity: quantities,
      notionalUsd: fc.option(prices, { freq: 4 }),
      takerSide: fc.constantFrom('buy', 'sell', 'unknown'),
      venueOrder: fc.option(fc.nat(5)),
    },
    { noNullPrototype: true },
  ),
})

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: trades },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.oneof(
        { weight: 6, arbitrary: fc.nat(1_500) },
        { weight: 2, arbitrary: fc.integer({ min: 10_000, max: 90_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 200_000, max: 700_000 }) },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      feed: fc.nat(3),
      lag: fc.oneof({ weight: 8, arbitrary: fc.nat(400) }, fc.integer({ min: -7_000, max: 3_000 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('gap' as const),
      which: fc.nat(9),
      age: fc.nat(90_000),
      span: fc.nat(120_000),
      state: fc.constantFrom('open', 'backfilled', 'unrecoverable'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      at: fc.nat(instruments.length - 1),
      status: fc.constantFrom('listed', 'expired'),
      age: fc.integer({ min: -90_000, max: 90_000 }),
    }),
  },
)

/** A log of up to `maxLength` records, with disorder, duplicates, lateness, faults, gaps and silence. */
export function marketLogs(maxLength: number): fc.Arbitrary<readonly MarketEvent[]> {
  return fc.array(steps, { maxLength, size: 'max' }).map((list) => recordsOf(list))
}

/** The same, where each instrument may change to the other feed and back. */
export function movingMarketLogs(maxLength: number): fc.Arbitrary<readonly MarketEvent[]> {
  const list = fc.array(steps, { maxLength, size: 'max' })
  const moves = fc.array(fc.nat(12), { minLength: 1, maxLength: 30 })
  return fc.tuple(list, moves).map(([chosen, drawn]) => {
    const others = new Set<string>()
    return recordsOf(chosen).map((event, at) => {
      if (event.type !== 'Trade' && event.type !== 'InstrumentStatus') return event
      const { value } = event
      const id = event.type === 'Trade' ? instrumentIdOf(event.value) : event.value.instrumentId
      if (drawn[at % drawn.length] === 0 && !others.delete(id)) others.add(id)
      const other = value.feedId === 'deribit' ? 'binance' : 'deribit'
      const feedId = others.has(id) ? other : value.feedId
      return event.type === 'Trade'
        ? { type: event.type, value: { ...event.value, feedId } }
        : { type: event.type, value: { ...event.value, feedId } }
    })
  })
}

function recordsOf(list: readonly Step[]): MarketEvent[] {
  const events: MarketEvent[] = []
  const first = instruments[0]
  const sequences = instruments.map(() => 0)
  const holes: number[][] = instruments.map(() => [])
  let now = epoch
  for (const step of list) {
    if (step.kind === 'pass') now += step.ms
    else if (step.kind === 'trade') {
      const { sequenced, ...names } = instruments[step.at] ?? first
      const last = sequences[step.at] ?? 0
      const hole = step.fault >= 4 ? holes[step.at]?.pop() : undefined
      const sequence = hole ?? last + (step.fault === 3 ? 3 : 1)
      sequences[step.at] = Math.max(last, sequence)
      if (step.fault === 3) holes[step.at]?.push(last + 1, last + 2)
      const isSequenced =
        sequenced === 'always' || (sequenced === 'sometimes' && step.age % 2 === 0)
      events.push(
        tradeEvent({
          ...names,
          ...step.facts,
          tradeId: `id-${sequence}`,
          sequence: isSequenced ? sequence : null,
          eventTime: now - step.age,
          receivedAt: step.fault === 0 ? now - step.age - 5_001 : now,
          ...(step.fault === 1 ? { status: 'pending' as const } : {}),
          ...(step.fault === 2 ? { quantity: { mantissa: 0, exponent: 0 } } : {}),
        }),
      )
    } else if (step.kind === 'heartbeat') {
      events.push(heartbeat(now - step.lag, step.feed === 3 ? 'binance' : 'deribit', now))
    } else if (step.kind === 'again') {
      const again = events[step.which % Math.max(events.length, 1)]
      if (again !== undefined) events.push(again)
    } else if (step.kind === 'gap') {
      const instrument = instruments[step.which % instruments.length] ?? first
      const { venue, feedId, instrument: name } = instrument
      events.push(
        sequenceGap({
          gapId: `gap-${step.which % 3}-${feedId}`,
          feedId,
          instrumentId: step.which >= instruments.length ? null : `${venue}:${name}`,
          fromTime: now - step.age,
          toTime: now - step.age + step.span,
          state: step.state,
        }),
      )
    } else {
      const { venue, feedId, instrument } = instruments[step.at] ?? first
      const id = `${venue}:${instrument}`
      events.push(instrumentStatus(step.status, now - step.age, id, feedId))
    }
  }
  return events
}
