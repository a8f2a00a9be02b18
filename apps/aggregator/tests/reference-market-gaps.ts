import type { SequenceGap, Trade } from '@tickertape/market-model'

import type { Delivery } from './reference-market-delivery.ts'
import { isWithin, marketInstruments, successorFeed } from './reference-market-instruments.ts'
import type { MarketInstrument, Span, Timeline } from './reference-market-instruments.ts'
import { forgottenAfterMs, marketSettings } from './reference-market-settings.ts'

/** A stretch that no replica delivers while it happens. */
export interface Hole {
  readonly instrumentId: string
  readonly span: Span
  /** When REST brings the trades; null: never. */
  readonly filledAt: number | null
  /** Only those before this time are brought. */
  readonly filledUntil: number
  /** They come when nobody waits for them any more. */
  readonly tooLate: boolean
}

const never = { filledAt: null, filledUntil: 0, tooLate: false } as const

export function holesOf(timeline: Timeline): readonly Hole[] {
  const { binanceDeath, okxDeath, okxSuccession } = timeline
  const [soon, lost, forgotten] = deribitHoles(timeline)
  return [
    // Beyond the horizon: the open gap holds its windows.
    {
      instrumentId: 'deribit:SOL_USDC-PERPETUAL',
      span: soon,
      filledAt: soon.to + forgottenAfterMs - 20_000,
      filledUntil: soon.to,
      tooLate: false,
    },
    { instrumentId: 'deribit:ETH-PERPETUAL', span: lost, ...never },
    {
      instrumentId: 'deribit:BTC-PERPETUAL',
      span: forgotten,
      filledAt: forgotten.to + marketSettings.gapSpanMs + forgottenAfterMs + 10_000,
      filledUntil: forgotten.to,
      tooLate: true,
    },
    ...marketInstruments
      .filter(({ feedId }) => feedId === 'binance')
      .map(({ instrumentId, name }, index) => ({
        instrumentId,
        span: binanceDeath,
        filledAt: binanceDeath.to + 3_000 + 7_000 * index,
        // Half of BNB's trades are nowhere to be had.
        filledUntil: name === 'BNBUSDT' ? binanceDeath.from + 40_000 : binanceDeath.to,
        tooLate: false,
      })),
    {
      instrumentId: 'okx:ETH-USDT',
      span: { from: okxDeath, to: okxSuccession },
      ...never,
    },
  ]
}

/** What the replicas say of the holes, and of some that are none. */
export function gapDeliveries(
  timeline: Timeline,
  tradesByInstrument: ReadonlyMap<MarketInstrument, readonly Trade[]>,
): readonly Delivery[] {
  const { binanceDeath, replicaDeath, okxDeath, okxSuccession } = timeline
  const [soon, lost, forgotten] = deribitHoles(timeline)
  const deliveries: Delivery[] = []
  const say = (at: number, gap: Partial<SequenceGap> & Pick<SequenceGap, 'gapId' | 'feedId'>) => {
    const value: SequenceGap = {
      replicaId: 'a',
      instrumentId: null,
      fromTime: 0,
      toTime: 0,
      fromSequence: null,
      toSequence: null,
      state: 'open',
      ...gap,
    }
    const { instrumentId } = value
    deliveries.push({
      at,
      event: { type: 'SequenceGap', value },
      instrumentId,
      intent: null,
    })
  }
  const sequencedGap = (name: string, span: Span, replicaId: string) => {
    const missing = [...tradesByInstrument]
      .filter(([instrument]) => instrument.instrumentId === name)
      .flatMap(([, trades]) => trades.filter(({ eventTime }) => isWithin(eventTime, span)))
    const sequences = missing.flatMap(({ sequence }) => (sequence === null ? [] : [sequence]))
    return {
      gapId: `${replicaId}/${name}/${sequences[0] ?? 0}`,
      feedId: 'deribit',
      replicaId,
      instrumentId: name,
      fromTime: span.from,
      toTime: span.to,
      fromSequence: sequences[0] ?? null,
      toSequence: sequences.at(-1) ?? null,
    }
  }

  // Filled, and said to be.
  const filled = sequencedGap('deribit:SOL_USDC-PERPETUAL', soon, 'a')
  say(soon.to + 1_500, filled)
  say(soon.to + forgottenAfterMs, { ...filled, state: 'backfilled' })
  // Filled by the other replica all along, which nobody says.
  const back = { from: replicaDeath.to - 3_000, to: replicaDeath.to }
  say(replicaDeath.to + 400, sequencedGap('deribit:SOL_USDC-PERPETUAL', back, 'b'))
  // Given up.
  const givenUp = sequencedGap('deribit:ETH-PERPETUAL', lost, 'a')
  say(lost.to + 1_200, givenUp)
  say(lost.to + 20_000, { ...givenUp, state: 'unrecoverable' })
  // Left open for ever.
  say(forgotten.to + 1_000, sequencedGap('deribit:BTC-PERPETUAL', forgotten, 'a'))
  // Suspected, on a feed without sequences, and found to be none.
  const suspected = {
    gapId: 'a/bybit/1',
    feedId: 'bybit',
    instrumentId: 'bybit:BTCUSDT',
    fromTime: lost.from,
    toTime: lost.from + 5_000,
  }
  say(lost.from + 6_000, suspected)
  say(lost.from + 40_000, { ...suspected, state: 'backfilled' })

  // A whole feed: declared before its first heartbeat, closed instrument by instrument.
  const whole = {
    gapId: 'a/binance/1',
    feedId: 'binance',
    fromTime: binanceDeath.from - 1_000,
    toTime: binanceDeath.to,
  }
  say(binanceDeath.to, whole)
  for (const hole of holesOf(timeline)) {
    if (hole.filledAt === null || !hole.instrumentId.startsWith('binance:')) continue
    const state = hole.filledUntil < binanceDeath.to ? 'unrecoverable' : 'backfilled'
    say(hole.filledAt + 6_000, { ...whole, instrumentId: hole.instrumentId, state })
  }
  say(okxSuccession - 5_000, {
    gapId: 'a/okx-backup/1',
    feedId: successorFeed,
    instrumentId: 'okx:ETH-USDT',
    fromTime: okxDeath,
    toTime: okxSuccession,
    state: 'unrecoverable',
  })
  return deliveries
}

/** Not touching each other, nor the minute of another. */
function deribitHoles({ begin, tradesEnd }: Timeline): readonly [Span, Span, Span] {
  const hole = (fraction: number, lengthMs: number): Span => {
    const from = begin + Math.floor(((tradesEnd - begin) * fraction) / 1_000) * 1_000 + 250
    return { from, to: from + lengthMs }
  }
  return [hole(0.2, 3_000), hole(0.3, 2_000), hole(0.35, 2_000)]
}
