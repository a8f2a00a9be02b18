import fc from 'fast-check'

import type { MarketEvent, SequenceGap, Trade } from '@tickertape/market-model'

import { base, heartbeat, instrumentStatus, trade } from './stored-market.ts'

const minuteMs = 60_000

/** Well inside of the horizon, so that nothing of this age is forgotten. */
const recentMs = 30 * minuteMs

const kinds = {
  trade: 24,
  'trade without a sequence': 4,
  'pending trade': 1,
  'trade from the future': 1,
  'trade without a price': 1,
  'trade that is held back': 3,
  'trade that was held back': 3,
  again: 2,
  contradiction: 1,
  'another id': 1,
  correction: 4,
  gap: 2,
  'gap again': 2,
  heartbeat: 10,
  'heartbeat of the other feed': 2,
  'heartbeat from the future': 1,
} as const

type Kind = keyof typeof kinds

const kind = fc.oneof(
  ...Object.entries(kinds).map(([name, weight]) => ({
    weight,
    // The keys of `kinds`.
    arbitrary: fc.constant(name as Kind),
  })),
)

const step = fc.record({
  kind,
  instrument: fc.constantFrom('BTC-PERPETUAL', 'ETH-PERPETUAL'),
  passesMs: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 800 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * 60 * minuteMs }) },
  ),
  /** Out of order, and sometimes late. */
  behindMs: fc.constantFrom(0, 0, 0, 0, 1, 300, 900, 5_000, 90_000, 20 * minuteMs),
  /** Which of the records before is meant. */
  pick: fc.nat(),
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

/**
 * A log with everything that can stand in one: out of order, late and unusable trades, corrections and
 * cancels, contradictions, duplicates, holes in the sequences that are filled or not, gaps.
 *
 * Left out is what the stored rows cannot tell: a correction without a sequence of a trade that is
 * forgotten, a gap that is told of when its windows are, and flat minutes that were forgotten before a
 * record came that changes what they follow.
 */
export const anyMarket: fc.Arbitrary<readonly MarketEvent[]> = fc
  .array(step, { minLength: 20, maxLength: 160, size: 'max' })
  .map((steps) => {
    const market = new MarketLog()
    for (const at of steps) market.take(at)
    return market.finished()
  })

class MarketLog {
  /** One of the instruments is an inverse contract. */
  readonly #events: MarketEvent[] = [instrumentStatus('ETH-PERPETUAL')]
  readonly #sequences = new Map<string, number>()
  readonly #held: Trade[] = []
  readonly #makers: Readonly<Record<Kind, (at: Step) => MarketEvent | undefined>> = {
    trade: (at) => this.#trade(at, {}),
    'trade without a sequence': (at) => this.#unsequenced(at),
    'pending trade': (at) => this.#trade(at, { status: 'pending' }),
    'trade from the future': (at) => this.#trade(at, { eventTime: base + this.#now + 5_001 }),
    'trade without a price': (at) => this.#trade(at, { price: { mantissa: 0, exponent: 0 } }),
    'trade that is held back': (at) => {
      this.#held.push(this.#trade(at, {}).value)
      return undefined
    },
    'trade that was held back': (at) => this.#release(at),
    again: (at) => this.#pickTrade(at, () => true),
    contradiction: (at) => this.#changed(at, isUsable, () => ({ price: at.price })),
    'another id': (at) =>
      this.#changed(at, isUsable, ({ tradeId }) => ({ tradeId: `${tradeId}+`, version: 0 })),
    correction: (at) => this.#corrected(at),
    gap: (at) => ({ type: 'SequenceGap', value: this.#gap(at) }),
    'gap again': (at) => this.#gapAgain(at),
    heartbeat: (at) => heartbeat(this.#timeOf(at)),
    'heartbeat of the other feed': (at) => heartbeat(this.#timeOf(at), 'otc'),
    'heartbeat from the future': () => this.#heartbeatFromTheFuture(),
  }
  #now = 0
  #number = 0

  take(at: Step): void {
    this.#now += at.passesMs
    this.#number += 1
    const event = this.#makers[at.kind](at)
    if (event !== undefined) this.#events.push(event)
  }

  /** Heartbeats stand behind all of it but three trades, which are in no candle yet. */
  finished(): readonly MarketEvent[] {
    const end = this.#now + 1_000
    const last = new Set(this.#events.filter(({ type }) => type === 'Trade').slice(-3))
    return [
      ...this.#events.filter((event) => !last.has(event)),
      heartbeat(end, 'otc'),
      heartbeat(end),
      ...last,
    ]
  }

  #unsequenced(at: Step): MarketEvent {
    const letter = ['é', 'Z', 'a', '\u{1F600}', '\uFFFD'][at.pick % 5] ?? ''
    return this.#trade(at, {
      feedId: 'otc',
      instrument: 'OTC',
      sequence: null,
      venueOrder: at.notional,
      tradeId: `${letter}${this.#number}`,
    })
  }

  #release({ pick }: Step): MarketEvent | undefined {
    const [value] = this.#held.splice(pick % Math.max(1, this.#held.length), 1)
    if (value === undefined || !this.#mayCome(value)) return undefined
    return { type: 'Trade', value: { ...value, receivedAt: base + this.#now } }
  }

  #corrected(at: Step): MarketEvent | undefined {
    const event = this.#changed(
      at,
      (known) => (known.sequence === null ? this.#isRecent(known.eventTime) : this.#mayCome(known)),
      (known) => this.#correction(at, known),
    )
    return event !== undefined && this.#hasIdentity(event.value) ? undefined : event
  }

  #heartbeatFromTheFuture(): MarketEvent {
    const now = base + this.#now
    const value = { feedId: 'deribit', replicaId: 'a', upTo: now + 1_000_000, receivedAt: now }
    return { type: 'FeedHeartbeat', value }
  }

  /** ms after the market's beginning. */
  #timeOf({ behindMs }: Step): number {
    return Math.max(0, this.#now - behindMs)
  }

  #isRecent(time: number): boolean {
    return time > base + this.#now - recentMs
  }

  /** It is recent, or late: a gap may hold its minute for longer, and not the flat ones behind it. */
  #mayCome({ eventTime }: Trade): boolean {
    if (this.#isRecent(eventTime)) return true
    return !this.#events.some(
      ({ type, value }) =>
        type === 'SequenceGap' && Math.abs(value.fromTime - eventTime) < 60 * minuteMs,
    )
  }

  #trade(at: Step, changes: Partial<Trade>): MarketEvent & { readonly type: 'Trade' } {
    const instrument = changes.instrument ?? at.instrument
    const sequence = (this.#sequences.get(instrument) ?? 0) + 1
    this.#sequences.set(instrument, sequence)
    return trade(sequence, this.#timeOf(at), {
      instrument,
      tradeId: `${instrument}-${sequence}`,
      price: at.price,
      quantity: at.quantity,
      notionalUsd: at.notional === null ? null : { mantissa: at.notional, exponent: -1 },
      receivedAt: base + this.#now,
      ...changes,
    })
  }

  #pickTrade(
    { pick }: Step,
    suits: (trade: Trade) => boolean,
  ): (MarketEvent & { readonly type: 'Trade' }) | undefined {
    const suitable = this.#events.filter((event) => event.type === 'Trade' && suits(event.value))
    // The newest more often: corrections come soon.
    const picked = suitable.at(
      -1 - (pick % Math.max(1, Math.min(suitable.length, 1 + (pick % 40)))),
    )
    return picked?.type === 'Trade' ? picked : undefined
  }

  #changed(
    at: Step,
    suits: (trade: Trade) => boolean,
    change: (trade: Trade) => Partial<Trade>,
  ): (MarketEvent & { readonly type: 'Trade' }) | undefined {
    const picked = this.#pickTrade(at, suits)
    if (picked === undefined) return undefined
    const receivedAt = base + this.#now
    const value = { ...picked.value, receivedAt, ...change(picked.value) }
    return { type: 'Trade', value }
  }

  #hasIdentity({ instrument, tradeId, version }: Trade): boolean {
    return this.#events.some(
      ({ type, value }) =>
        type === 'Trade' &&
        value.instrument === instrument &&
        value.tradeId === tradeId &&
        value.version === version,
    )
  }

  #correction(at: Step, { version, eventTime }: Trade): Partial<Trade> {
    const statuses = ['confirmed', 'cancelled', 'cancelled', 'confirmed', 'pending'] as const
    const shift = [0, 0, 0, 1, -1_000, 61_000, -61_000][at.pick % 7] ?? 0
    return {
      version: Math.max(0, version + ([1, 1, 2, -1][at.pick % 4] ?? 1)),
      status: statuses[at.pick % 5] ?? 'confirmed',
      price: at.price,
      eventTime: Math.min(base + this.#now, Math.max(base, eventTime + shift)),
    }
  }

  #gap(at: Step): SequenceGap {
    const held = this.#held.filter(({ eventTime }) => this.#isRecent(eventTime))
    const missing = held[at.pick % Math.max(1, held.length)]
    const state = (['open', 'unrecoverable', 'backfilled'] as const)[at.pick % 3] ?? 'open'
    const common = { gapId: `gap ${this.#number}`, feedId: 'deribit', replicaId: 'a', state }
    if (missing === undefined) {
      const from = base + this.#timeOf(at)
      return {
        ...common,
        instrumentId: at.pick % 2 === 0 ? null : `deribit:${at.instrument}`,
        fromTime: from,
        toTime: from + (at.pick % 100_000),
        fromSequence: null,
        toSequence: null,
      }
    }
    // One or two, of which the second may be there.
    const toSequence = (missing.sequence ?? 0) + (at.pick % 2)
    return {
      ...common,
      instrumentId: `deribit:${missing.instrument}`,
      fromTime: missing.eventTime,
      toTime: missing.eventTime + 1 + (at.behindMs % 2_000),
      fromSequence: missing.sequence,
      toSequence,
    }
  }

  /** Another state, or a record of one instrument beside that of the whole feed. */
  #gapAgain(at: Step): MarketEvent | undefined {
    const recent = this.#events.filter(
      ({ type, value }) => type === 'SequenceGap' && this.#isRecent(value.fromTime),
    )
    const picked = recent[at.pick % Math.max(1, recent.length)]
    if (picked?.type !== 'SequenceGap') return undefined
    const { instrumentId } = picked.value
    const state = (['backfilled', 'backfilled', 'unrecoverable', 'open'] as const)[at.pick % 4]
    return {
      type: 'SequenceGap',
      value: {
        ...picked.value,
        instrumentId:
          instrumentId === null && at.pick % 3 !== 0 ? `deribit:${at.instrument}` : instrumentId,
        state: state ?? 'open',
      },
    }
  }
}

/** The first record of a trade stands, here and in the database, only if the aggregation can use it. */
function isUsable({ price, eventTime, receivedAt }: Trade): boolean {
  return price.mantissa > 0 && eventTime - receivedAt <= 5_000
}
