import type { MappedTrade } from '../mapped-trade.ts'

interface Message {
  readonly type: string
  readonly trades?: readonly MappedTrade[]
}

/** The rows of a message that is one of trades. */
export function rowsOf(message: Message): readonly MappedTrade[] {
  if (message.trades === undefined) throw new Error(`No trades: ${JSON.stringify(message)}`)
  return message.trades
}

/** Its first row. */
export function rowOf(message: Message): MappedTrade {
  const [first] = rowsOf(message)
  if (first === undefined) throw new Error(`No row: ${JSON.stringify(message)}`)
  return first
}
