import { formatDecimal, parseDecimal } from '@tickertape/market-model'
import { z } from 'zod'
import type { RecordedTrade } from '../market/market.ts'
import { parseExactJson } from '../replay/exact-json.ts'
import type { RecordedMessage } from '../replay/recording.ts'

const message = z.object({
  method: z.literal('subscription'),
  params: z.object({
    channel: z.string().startsWith('trades.'),
    data: z.array(z.object({ timestamp: z.int() })).min(1),
  }),
})

const exactNumber = z.object({ rawJSON: z.string() }).transform(({ rawJSON }) => rawJSON)

const exactMessage = z.object({
  params: z.object({
    data: z.array(
      z.looseObject({
        instrument_name: z.string(),
        trade_seq: exactNumber,
        trade_id: z.string(),
        timestamp: exactNumber,
        price: exactNumber,
        amount: exactNumber,
        direction: z.enum(['buy', 'sell']),
      }),
    ),
  }),
})

/** @returns undefined if the message is not a trades notification */
export function readDeribitMessage(content: unknown, raw: string): RecordedMessage | undefined {
  const read = message.safeParse(content)
  if (!read.success) return undefined
  const { channel, data } = read.data.params
  const exact = parseExactJson(raw)
  const texts = rawTrades(exact)
  const trades = exactMessage.parse(exact).params.data.map((trade, index): RecordedTrade => ({
    origin: 'recorded',
    instrument: trade.instrument_name,
    sequence: Number(trade.trade_seq),
    tradeId: trade.trade_id,
    eventTime: Number(trade.timestamp),
    price: plainDigits(trade.price),
    quantity: plainDigits(trade.amount),
    takerSide: trade.direction,
    text: texts[index] ?? '',
  }))
  // An array of at least one, by the shape above.
  return { venue: 'deribit', channel, eventTime: data[0]?.timestamp ?? 0, raw, trades }
}

const anyTrades = z.object({ params: z.object({ data: z.array(z.unknown()) }) })

/** Each trade as it was recorded, fields that the simulator does not know included. */
function rawTrades(exact: unknown): readonly string[] {
  return anyTrades.parse(exact).params.data.map((trade) => JSON.stringify(trade))
}

function plainDigits(number: string): string {
  const value = parseDecimal(number)
  return value === undefined ? number : formatDecimal(value)
}
