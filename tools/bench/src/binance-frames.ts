/** Ten of Binance's spot pairs. */
export const symbols = [
  'BTCUSDT',
  'ETHUSDT',
  'SOLUSDT',
  'XRPUSDT',
  'BNBUSDT',
  'DOGEUSDT',
  'ADAUSDT',
  'LTCUSDT',
  'LINKUSDT',
  'AVAXUSDT',
] as const

/** Ids of each symbol are above this, and contiguous. */
const firstId = 3_700_000_000

/** Which trade of the whole feed has a symbol's id. */
export function numberOf(symbol: string, id: number): number {
  const index = symbols.findIndex((each) => each === symbol)
  return (id - firstId) * symbols.length + index
}

export function idOf(number: number): number {
  return firstId + Math.floor(number / symbols.length)
}

/** The number-th trade of the feed: symbols take turns. */
export function tradeAt(number: number): {
  readonly symbol: string
  readonly id: number
  readonly price: string
  readonly quantity: string
  readonly buyerIsMaker: boolean
} {
  const ticks = (number * 7_919) % 100_000
  return {
    symbol: symbols[number % symbols.length] ?? symbols[0],
    id: idOf(number),
    price: `${60_000 + Math.floor(ticks / 100)}.${String(ticks % 100).padStart(2, '0')}000000`,
    quantity: `0.${String(1 + (number % 999)).padStart(5, '0')}000`,
    buyerIsMaker: number % 3 === 0,
  }
}

/** A combined stream's event: https://developers.binance.com, WebSocket streams, `trade`. */
export function tradeEvent(number: number, time: number): string {
  const { symbol, id, price, quantity, buyerIsMaker } = tradeAt(number)
  return `{"stream":"${symbol.toLowerCase()}@trade","data":{"e":"trade","E":${time},"s":"${symbol}","t":${id},"p":"${price}","q":"${quantity}","T":${time},"m":${buyerIsMaker},"M":true}}`
}

/** A row of GET /api/v3/historicalTrades. */
export function historyRow(number: number, time: number): unknown {
  const { id, price, quantity, buyerIsMaker } = tradeAt(number)
  return { id, price, qty: quantity, time, isBuyerMaker: buyerIsMaker, isBestMatch: true }
}

/** Text frames of RFC 6455 as a server sends them, unmasked, one behind the other. */
export function frameBytes(texts: readonly string[]): Buffer {
  const parts = texts.flatMap((text) => {
    const payload = Buffer.from(text)
    const header = Buffer.alloc(payload.length < 126 ? 2 : 4)
    header[0] = 0x81
    if (payload.length < 126) {
      header[1] = payload.length
    } else {
      header[1] = 126
      header.writeUInt16BE(payload.length, 2)
    }
    return [header, payload]
  })
  return Buffer.concat(parts)
}
