import type { MarketEvent, SequenceGap } from '@tickertape/market-model'

import { base, heartbeat, trade } from './stored-market.ts'

/** Half a minute of trades, a quiet minute, a trade, and a watermark behind it all. */
export const plain: readonly MarketEvent[] = [
  ...Array.from({ length: 60 }, (_, number) => trade(number + 1, 20_000 + number * 500)),
  heartbeat(110_000),
  trade(61, 130_500),
  heartbeat(200_000),
]

/** Two trades, missing within a second that has others. */
const missing: SequenceGap = {
  gapId: 'gap',
  feedId: 'deribit',
  replicaId: 'a',
  instrumentId: 'deribit:BTC-PERPETUAL',
  fromTime: base + 21_000,
  toTime: base + 22_000,
  fromSequence: 62,
  toSequence: 63,
  state: 'open',
}
export const gap = (changes: Partial<SequenceGap>): MarketEvent => ({
  type: 'SequenceGap',
  value: { ...missing, ...changes },
})
