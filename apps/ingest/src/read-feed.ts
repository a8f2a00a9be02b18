import { setTimeout as delay } from 'node:timers/promises'

import { backoffMs } from './backoff.ts'
import type { CursorWriter } from './feed-cursors.ts'
import { FeedSession } from './feed-session.ts'
import type { FeedState } from './feed-session.ts'
import type { InstrumentDelivery } from './instrument-delivery.ts'
import { RestError } from './rest-client.ts'
import type { TradeHistory } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

/** Between two requests that the venue's history did not answer. */
export const historyBackoff = { firstMs: 200, maxMs: 10_000 }

/** Connects again and again, until it is told to stop. */
export async function readFeed(
  state: FeedState,
  history: TradeHistory,
  cursors: CursorWriter,
  signal: AbortSignal,
): Promise<void> {
  const { config, deliveries, events, readiness } = state
  await prepare([...deliveries.values()], state, history, cursors, signal)
  while (!signal.aborted) {
    const reason = await new FeedSession(state, signal).run()
    if (signal.aborted) break
    state.failures += 1
    readiness.waitFor('venue', `not connected to ${config.venue.name}: ${reason}`)
    const bounds = { firstMs: 250, maxMs: config.connection.reconnectMaxMs }
    const retryInMs = backoffMs(state.failures, bounds, Math.random())
    events.disconnected(reason, retryInMs)
    await delay(retryInMs, undefined, { signal })
  }
}

/**
 * Finds where instruments begin and makes it known to the next process: from the moment the venue
 * acknowledges a subscription no trade may be lost.
 */
export async function prepare(
  deliveries: readonly InstrumentDelivery[],
  state: FeedState,
  history: TradeHistory,
  cursors: CursorWriter,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(deliveries.map((each) => findBeginning(each, state, history, signal)))
  await untilAborted(cursors.write(deliveries), signal)
  await untilAborted(state.log.acknowledged(), signal)
}

/** Without a cursor an instrument begins behind the venue's last trade, asked for before we subscribe. */
async function findBeginning(
  delivery: InstrumentDelivery,
  { events, readiness }: FeedState,
  history: TradeHistory,
  signal: AbortSignal,
): Promise<void> {
  if (delivery.beginning !== 'unknown') return
  for (let tries = 1; ; tries += 1) {
    try {
      delivery.beginBehind(await history.newest(delivery.instrument, signal))
      break
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (error.code === 'refused') {
        events.historyRefused(delivery.instrument, error)
        readiness.waitFor(`history of ${delivery.instrument}`, `refused: ${error.message}`)
        delivery.beginWithStream()
        break
      }
      events.historyAwaited(delivery.instrument, error, tries)
      readiness.waitFor('history', `the venue's history does not answer: ${error.message}`)
      await delay(backoffMs(tries, historyBackoff, Math.random()), undefined, { signal })
    }
  }
  readiness.ready('history')
  events.instrumentBegins(delivery.instrument, delivery.position)
}
