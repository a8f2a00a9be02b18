import { setTimeout as delay } from 'node:timers/promises'

import type { Readiness } from '@tickertape/service-runtime'

import type { IngestEvents } from './events.ts'
import type { MarketLog } from './market-log.ts'
import { untilAborted } from './until-aborted.ts'

export interface BrokerWatchOptions {
  readonly log: Pick<MarketLog, 'acknowledged' | 'inFlight'>
  readonly readiness: Readiness
  readonly events: Pick<IngestEvents, 'brokerSilent' | 'brokerBack'>
  /** How long records may wait before it is told, and the time between two looks. */
  readonly patienceMs: number
  readonly everyMs: number
}

/**
 * Tells when Kafka no longer takes records: the producer waits such an outage out and says nothing, and
 * reading stops only once its queue is full.
 */
export async function watchBroker(
  { log, readiness, events, patienceMs, everyMs }: BrokerWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const acknowledged = untilAborted(log.acknowledged(), signal)
    if (!(await settlesWithin(acknowledged, patienceMs))) {
      const message = `Kafka has taken no record for ${patienceMs} ms: ${log.inFlight} wait`
      readiness.waitFor('broker', message)
      events.brokerSilent(message)
      await acknowledged
      readiness.ready('broker')
      events.brokerBack()
    }
    await delay(everyMs, undefined, { signal })
  }
}

/** @throws what the promise is rejected with, if that is within the time. */
async function settlesWithin(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  const over = new AbortController()
  const late = delay(milliseconds, false, { signal: over.signal }).catch(() => false)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    over.abort()
  }
}
