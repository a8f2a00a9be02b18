import type { Trade } from '@tickertape/market-model'

import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { messageObject } from './message-object.ts'
import { elementText, exactInteger } from './raw-json.ts'
import { isObject, mappedRow, notA } from './venue-row.ts'

/**
 * How a venue of the system's own tells of trades: every event (a trade, a correction, a cancel) has a
 * number of its own, contiguous for each instrument, and the trade's version says which event of it
 * stands. So holes show, and are filled, as for any other venue, whatever was corrected in them.
 */
export interface NumberedEvents {
  /** Fields that an event may have; one with others is turned away, for nobody knows what they change. */
  readonly fields: ReadonlySet<string>
  /** @returns the trade that the event makes of it, or what is wrong with the event. */
  readonly trade: (event: NumberedEvent, context: MappingContext) => Trade | string
}

export interface NumberedEvent {
  readonly instrument: string
  /**
   * The event's, not the trade's: each version of a trade is an event. A trade of the log that had it as its
   * sequence would be another trade than its earlier version to whoever counts; its id names it.
   */
  readonly sequence: number
  readonly row: Readonly<Record<string, unknown>>
}

/** What one message of such a venue says. */
export type EventsMessage =
  | { readonly type: 'trades'; readonly trades: readonly MappedTrade[] }
  | { readonly type: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number | undefined; readonly message: string }
  | { readonly type: 'malformed'; readonly message: string }

/** Reads one WebSocket message: `{"events":[…]}`, or an answer under the id of a request. */
export function mapEventsMessage(
  text: string,
  context: MappingContext,
  events: NumberedEvents,
): EventsMessage {
  const message = messageObject(text)
  if (typeof message === 'string') return { type: 'malformed', message }
  if (Array.isArray(message['events'])) {
    return { type: 'trades', trades: mapRows(message['events'], text, context, events) }
  }
  const id = exactInteger(message['id'])
  if (typeof message['error'] === 'string') return { type: 'error', id, message: message['error'] }
  if (id === undefined || !('result' in message)) {
    return { type: 'malformed', message: 'neither events nor an answer' }
  }
  return { type: 'answer', id, result: message['result'] }
}

/**
 * Reads a page of the history, `{"events":[…],"more":…}`.
 *
 * @throws SyntaxError or TypeError if it is none: the request has to be made again.
 */
export function mapEventsHistory(
  text: string,
  context: MappingContext,
  events: NumberedEvents,
): { readonly trades: readonly MappedTrade[]; readonly hasMore: boolean } {
  const answer: unknown = JSON.parse(text)
  if (!isObject(answer) || !Array.isArray(answer['events'])) {
    throw new TypeError(`an answer without events: ${text.slice(0, 200)}`)
  }
  return {
    trades: mapRows(answer['events'], text, context, events),
    hasMore: answer['more'] === true,
  }
}

function mapRows(
  rows: readonly unknown[],
  text: string,
  context: MappingContext,
  events: NumberedEvents,
): MappedTrade[] {
  return rows.map((row, index) => {
    const read = isObject(row) ? row : {}
    return mappedRow(
      {
        trade: tradeOf(read, context, events),
        instrument: read['instrument'],
        sequence: exactInteger(read['sequence']),
      },
      context,
      () => elementText(text, 'events', index) ?? text,
    )
  })
}

function tradeOf(
  row: Readonly<Record<string, unknown>>,
  context: MappingContext,
  { fields, trade }: NumberedEvents,
): Trade | string {
  const unknown = Object.keys(row).filter((name) => !fields.has(name))
  if (unknown.length > 0) return `unknown fields: ${unknown.join(', ')}`
  const { instrument } = row
  if (typeof instrument !== 'string' || instrument === '') return 'no instrument'
  const sequence = exactInteger(row['sequence'])
  if (sequence === undefined || sequence < 1) {
    return notA('sequence', 'a positive integer below 2^53', row['sequence'])
  }
  return trade({ instrument, sequence, row }, context)
}
