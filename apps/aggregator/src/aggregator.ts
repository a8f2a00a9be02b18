import { setTimeout as delay } from 'node:timers/promises'

import { KafkaAvroError, followRetention, topicName } from '@tickertape/kafka-avro'
import type { KafkaAvroErrorCode } from '@tickertape/kafka-avro'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import type { AggregatorConfig } from './config.ts'
import { createEvents } from './events.ts'
import { runSession } from './session.ts'

/** Faults that pass: the next session begins from the committed state. All others need a person. */
const passing: readonly KafkaAvroErrorCode[] = [
  'transaction_failed',
  'broker_unreachable',
  'registry_unreachable',
  'access_refused',
  'registry_access_refused',
  'reading_failed',
]

const firstRetryMs = 500
const lastRetryMs = 10_000

/**
 * Turns market-events into candles, exactly once: candles, rejected records, the changelog of its state
 * and its offsets are committed in one Kafka transaction.
 * A fault that passes ends a session; the next one begins from what is committed.
 */
export function startAggregator(config: AggregatorConfig, context: ServiceContext): RunningService {
  const events = createEvents(context, {
    groupId: config.kafka.groupId,
    maxOpenTrades: config.maxOpenTrades,
  })
  const stopping = new AbortController()
  const ended = runSessions()
  const { connection, topicPrefix } = config.kafka
  const retention = followRetention(
    { connection, topics: [topicName('market-events', topicPrefix)] },
    (topic, seconds) => events.group.retention(topic, seconds),
    (message) => events.kafkaWarning(message),
    stopping.signal,
  )
  const failed = Promise.withResolvers<never>()
  ended.catch(failed.reject)

  return {
    failed: failed.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      // A failure was already told through `failed`.
      await ended.catch(() => undefined)
      await retention
    },
  }

  async function runSessions(): Promise<void> {
    let retryInMs = firstRetryMs
    while (!stopping.signal.aborted) {
      const began = performance.now()
      try {
        events.sessionStarting()
        await runSession(config, events, context.tracing, stopping.signal)
      } catch (error) {
        if (!(error instanceof KafkaAvroError && passing.includes(error.code))) throw error
        // A session that did well for a while starts the waiting times from the shortest again.
        if (performance.now() - began > 60_000) retryInMs = firstRetryMs
        events.sessionFailed(error, retryInMs)
        await delay(retryInMs, undefined, { signal: stopping.signal }).catch(() => undefined)
        retryInMs = Math.min(retryInMs * 2, lastRetryMs)
      }
    }
  }
}
