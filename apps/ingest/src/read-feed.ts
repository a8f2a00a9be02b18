import { setTimeout as delay } from 'node:timers/promises'

import { backoffMs } from './backoff.ts'
import type { Delivery } from './delivery.ts'
import type { CursorWriter } from './feed-cursors.ts'
import { FeedSession } from './feed-session.ts'
import type { FeedState } from './feed-state.ts'
import { RestError } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import type { VenueHistory } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

/** Between two requests that the venue's history did not answer. */
export const historyBackoff = { firstMs: 200, maxMs: 10_000 }

/** A connection, and why it ended. */
interface Reading {
  readonly session: FeedSession
  /** Resolves with the reason when another one should begin beside it. */
  readonly endsSoon: Promise<string>
  readonly ended: Promise<string>
}

/**
 * Connects again and again, until it is told to stop; where the end of a connection is certain, before it
 * comes.
 */
export async function readFeed(
  state: FeedState,
  history: VenueHistory,
  cursors: CursorWriter,
  signal: AbortSignal,
): Promise<void> {
  const { config, deliveries, events, readiness } = state
  await prepare([...deliveries.values()], state, history, cursors, signal)
  let reading = begin(state, signal)
  while (!signal.aborted) {
    const end = await untilEnd(reading)
    if (end.soon) {
      events.endsSoon(end.reason)
      reading = await overlap(state, reading, signal)
      continue
    }
    if (signal.aborted) break
    state.failures += 1
    readiness.waitFor('venue', `not connected to ${config.venue.name}: ${end.reason}`)
    const retryInMs = retryAfterMs(state)
    events.disconnected(end.reason, retryInMs)
    await delay(retryInMs, undefined, { signal })
    reading = begin(state, signal)
  }
}

function begin(state: FeedState, signal: AbortSignal, predecessor?: FeedSession): Reading {
  const session = new FeedSession(state, signal, predecessor)
  const ended = session.run()
  // Whoever waits for it learns of a failure; nobody may wait yet.
  ended.catch(() => undefined)
  return { session, endsSoon: session.endsSoon, ended }
}

async function untilEnd({ endsSoon, ended }: Reading): Promise<{ soon: boolean; reason: string }> {
  return await Promise.race([
    ended.then((reason) => ({ soon: false, reason })),
    endsSoon.then((reason) => ({ soon: true, reason })),
  ])
}

/**
 * Begins another connection beside one that still delivers; beside one that is about to, once it does: what
 * was missed before a connection only that connection tells.
 *
 * @returns the one that delivers alone then; the first one where no other one could be had before its end.
 */
async function overlap(state: FeedState, first: Reading, signal: AbortSignal): Promise<Reading> {
  const over = first.ended.then(() => true)
  const isTooSoon = await Promise.race([over, first.session.delivers.then(() => false)])
  if (isTooSoon) return withoutSuccessor(first)
  for (let failures = 1; ; failures += 1) {
    const second = begin(state, signal, first.session)
    const outcome = await Promise.race([
      second.session.delivers.then(() => 'delivers' as const),
      second.ended,
    ])
    if (outcome === 'delivers') {
      const reason = await first.ended
      if (!signal.aborted) state.events.succeeded(reason)
      return second
    }
    const retryInMs = retryAfterMs({ ...state, failures })
    if (!signal.aborted) state.events.notSucceeded(outcome, retryInMs)
    if (await Promise.race([over, delay(retryInMs, false, { signal })])) {
      return withoutSuccessor(first)
    }
  }
}

/** It is over: that it was going to be is no news. */
function withoutSuccessor(reading: Reading): Reading {
  return { ...reading, endsSoon: new Promise(() => undefined) }
}

function retryAfterMs({ config, failures }: Pick<FeedState, 'config' | 'failures'>): number {
  const bounds = { firstMs: 250, maxMs: config.connection.reconnectMaxMs }
  return backoffMs(failures, bounds, Math.random())
}

/**
 * Finds where instruments begin and makes it known to the next process: from the moment the venue
 * acknowledges a subscription no trade may be lost.
 */
export async function prepare(
  deliveries: readonly Delivery[],
  state: FeedState,
  history: VenueHistory,
  cursors: CursorWriter,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(deliveries.map((each) => findBeginning(each, state, history, signal)))
  await untilAborted(cursors.write(deliveries), signal)
  await untilAborted(state.log.acknowledged(), signal)
}

/** Without a cursor an instrument begins behind the venue's last trade, asked for before we subscribe. */
async function findBeginning(
  delivery: Delivery,
  { events, readiness }: FeedState,
  history: VenueHistory,
  signal: AbortSignal,
): Promise<void> {
  if (delivery.beginning !== 'unknown') return
  for (let tries = 1; ; tries += 1) {
    try {
      await beginBehindNewest(delivery, history, signal)
      break
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (error.code === 'refused') {
        events.historyRefused(delivery.instrument, error)
        readiness.degrade(`history of ${delivery.instrument}`, `refused: ${error.message}`)
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

/** @throws RestError */
async function beginBehindNewest(
  delivery: Delivery,
  history: VenueHistory,
  signal: AbortSignal,
): Promise<void> {
  const { instrument } = delivery
  if (delivery.kind === 'sequenced' && hasSequences(history)) {
    delivery.beginBehind(await history.newest(instrument, signal))
  } else if (delivery.kind === 'unsequenced' && !hasSequences(history)) {
    delivery.beginBehindRecent(await history.recent(instrument, signal))
  } else {
    throw new TypeError(
      `${instrument} is delivered as ${delivery.kind}, and its venue's trades are not`,
    )
  }
}
