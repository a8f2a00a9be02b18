import { mapCoinbaseRow } from './coinbase-row.ts'
import { isoMilliseconds } from './iso-time.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { exactInteger } from './raw-json.ts'
import { isObject } from './venue-row.ts'

/** What one message of Coinbase Exchange's WebSocket says. */
export type CoinbaseMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  /** All that the connection is subscribed to by now. */
  | { readonly type: 'subscribed'; readonly instruments: readonly string[] }
  | {
      readonly type: 'heartbeat'
      readonly instrument: string
      /** Milliseconds since the epoch. */
      readonly time: number
      /** Of the product, up to this time; undefined if it has none. */
      readonly lastSequence: number | undefined
    }
  | {
      readonly type: 'error'
      readonly message: string
      /** The product that the venue names as refused. */
      readonly instrument: string | undefined
    }
  /** Messages of channels that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

/**
 * Reads one WebSocket message: https://docs.cdp.coinbase.com/exchange, "WebSocket Channels", matches and
 * heartbeat. `last_match`, the first message of a product, is its last trade before, and a trade like
 * any other: after a reconnect it was seen already.
 *
 * Prices and sizes are strings, so JSON.parse keeps their digits. `sequence` counts all of a product's
 * messages, most of which are of other channels; `trade_id` counts its trades.
 */
export function mapCoinbaseMessage(text: string, context: MappingContext): CoinbaseMessage {
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  switch (message['type']) {
    case 'match':
    case 'last_match':
      return { type: 'trades', trades: [mapCoinbaseRow('coinbase', message, context, () => text)] }
    case 'heartbeat':
      return mapHeartbeat(message)
    case 'subscriptions':
      return { type: 'subscribed', instruments: productsOf('matches', message['channels']) }
    case 'error': {
      const said = [message['message'], message['reason']].filter((part) => part !== undefined)
      return { type: 'error', message: said.map(String).join(': '), ...refusedBy(message) }
    }
    case undefined:
      return { type: 'malformed', message: 'a message without a type' }
    default:
      return { type: 'other' }
  }
}

function mapHeartbeat(message: Readonly<Record<string, unknown>>): CoinbaseMessage {
  const instrument = message['product_id']
  const time = isoMilliseconds(message['time'])
  if (typeof instrument !== 'string' || time === undefined) {
    return { type: 'malformed', message: 'a heartbeat without a product or a time' }
  }
  return {
    type: 'heartbeat',
    instrument,
    time,
    lastSequence: exactInteger(message['last_trade_id']),
  }
}

function productsOf(channel: string, channels: unknown): readonly string[] {
  if (!Array.isArray(channels)) return []
  return channels
    .filter(isObject)
    .filter(({ name }) => name === channel)
    .flatMap(({ product_ids: products }): unknown[] => (Array.isArray(products) ? products : []))
    .filter((product) => typeof product === 'string')
}

/** `"reason":"XYZ-USD is not a valid product"`; it may say otherwise. */
function refusedBy({ reason }: Readonly<Record<string, unknown>>): {
  readonly instrument: string | undefined
} {
  const named = typeof reason === 'string' ? /^(\S+) is not a valid product/.exec(reason) : null
  return { instrument: named?.[1] }
}
