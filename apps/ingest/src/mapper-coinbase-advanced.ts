import { mapCoinbaseRow } from './coinbase-row.ts'
import { isoMilliseconds } from './iso-time.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject } from './venue-row.ts'

/** What one message of the Advanced Trade WebSocket says. */
export type CoinbaseAdvancedContent =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  /** All that the connection is subscribed to by now. */
  | { readonly type: 'subscribed'; readonly instruments: readonly string[] }
  /** `time` in milliseconds since the epoch. */
  | { readonly type: 'heartbeat'; readonly time: number }
  | { readonly type: 'error'; readonly message: string }
  /** Messages of channels that carry no trades. */
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly message: string }

export type CoinbaseAdvancedMessage = CoinbaseAdvancedContent & {
  /** Counts the connection's messages, over all channels, from 0; undefined where it has none. */
  readonly number?: number | undefined
}

/**
 * Reads one WebSocket message: https://docs.cdp.coinbase.com/advanced-trade, "WebSocket Channels",
 * market_trades and heartbeats. The trades of a message, a snapshot's as well as an update's, stand in it
 * with the newest first.
 *
 * @returns the trades of a message ascending.
 */
export function mapCoinbaseAdvancedMessage(
  text: string,
  context: MappingContext,
): CoinbaseAdvancedMessage {
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  if (message['type'] === 'error') return { type: 'error', message: String(message['message']) }
  return { ...contentOf(message, text, context), number: exactInteger(message['sequence_num']) }
}

function contentOf(
  message: Readonly<Record<string, unknown>>,
  text: string,
  context: MappingContext,
): CoinbaseAdvancedContent {
  const { channel, events } = message
  if (typeof channel !== 'string') return { type: 'malformed', message: 'no channel' }
  switch (channel) {
    case 'market_trades':
      if (!isListOfObjects(events) || events.some(({ trades }) => !Array.isArray(trades))) {
        return { type: 'malformed', message: 'market_trades without trades' }
      }
      return { type: 'trades', trades: mapEvents(events, text, context) }
    case 'heartbeats': {
      const time = isoMilliseconds(message['timestamp'])
      if (time === undefined) return { type: 'malformed', message: 'a heartbeat without a time' }
      return { type: 'heartbeat', time }
    }
    case 'subscriptions':
      return {
        type: 'subscribed',
        instruments: isListOfObjects(events) ? events.flatMap(productsOf) : [],
      }
    default:
      return { type: 'other' }
  }
}

function mapEvents(
  events: readonly Readonly<Record<string, unknown>>[],
  text: string,
  context: MappingContext,
): readonly MappedTrade[] {
  return events.flatMap(({ trades }, event) => {
    const rows: readonly unknown[] = Array.isArray(trades) ? trades : []
    const original = (index: number): string => {
      const own = elementText(text, 'events', event)
      return (own === undefined ? undefined : elementText(own, 'trades', index)) ?? text
    }
    return rows
      .map((row, index) => mapCoinbaseRow('coinbase-advanced', row, context, () => original(index)))
      .toReversed()
  })
}

function productsOf({ subscriptions }: Readonly<Record<string, unknown>>): readonly string[] {
  const products = isObject(subscriptions) ? subscriptions['market_trades'] : undefined
  return Array.isArray(products) ? products.filter((each) => typeof each === 'string') : []
}

function isListOfObjects(value: unknown): value is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.every(isObject)
}
