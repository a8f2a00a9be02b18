import { z } from 'zod'
import { historicalTradeRow } from './binance-text.ts'
import type { RecordedTrade } from '../market/market.ts'
import type { RecordedMessage } from '../replay/recording.ts'

const shape = z.object({
  stream: z.string(),
  data: z.object({
    e: z.literal('trade'),
    E: z.int(),
    s: z.string(),
    t: z.int(),
    p: z.string(),
    q: z.string(),
    T: z.int(),
    m: z.boolean(),
  }),
})

/** @returns undefined if the message is not a combined stream's `trade` event */
export function readBinanceMessage(content: unknown, raw: string): RecordedMessage | undefined {
  const read = shape.safeParse(content)
  if (!read.success) return undefined
  const { data, stream } = read.data
  const facts = {
    instrument: data.s,
    sequence: data.t,
    tradeId: String(data.t),
    eventTime: data.T,
    price: data.p,
    quantity: data.q,
    takerSide: data.m ? 'sell' : 'buy',
  } as const
  const text = historicalTradeRow(data.t, facts)
  const trades: readonly RecordedTrade[] = [{ origin: 'recorded', ...facts, text }]
  return { venue: 'binance', channel: stream, eventTime: data.E, raw, trades }
}
