import { Registry } from 'prom-client'
import { expect, it, onTestFinished, vi } from 'vitest'

import { createKafkaClientMetrics } from './kafka-client-metrics.ts'
import type { KafkaClientStatistics } from './kafka-client-metrics.ts'

const nothing: KafkaClientStatistics = {
  queueMessages: 0,
  queueMessagesLimit: 0,
  queueBytes: 0,
  queueBytesLimit: 0,
  requestsInFlight: 0,
  requestTimeouts: 0,
  requestRetries: 0,
  requestErrors: 0,
  sentMessages: 0,
  sentBytes: 0,
  receivedMessages: 0,
  receivedBytes: 0,
  brokersConnected: 0,
  brokerDisconnects: 0,
  fetchQueueMessages: 0,
  brokerRtt: undefined,
}

/** The series of a registry that are not 0, by their names without the common beginning. */
async function seriesOf(metrics: Registry): Promise<readonly string[]> {
  const lines = (await metrics.metrics()).split('\n')
  return lines
    .filter((line) => line.startsWith('kafka_client_') && !line.endsWith(' 0'))
    .map((line) => line.slice('kafka_client_'.length))
}

it('counters go on with the next client of a role, whose own totals begin at 0', async () => {
  const metrics = new Registry()
  const kafka = createKafkaClientMetrics(metrics)
  const first = kafka.librdkafka('producer')
  first({ ...nothing, sentMessages: 5 })
  first({ ...nothing, sentMessages: 10, queueMessages: 4 })
  kafka.librdkafka('producer')({ ...nothing, sentMessages: 3, queueMessages: 2 })
  kafka.librdkafka('group')({ ...nothing, brokerRtt: { median: 0.002, p99: 0.25 } })
  expect(await seriesOf(metrics)).toEqual([
    'queue_messages{client="producer"} 2',
    'broker_rtt_seconds{client="group",quantile="0.5"} 0.002',
    'broker_rtt_seconds{client="group",quantile="0.99"} 0.25',
    'sent_messages_total{client="producer"} 13',
  ])
})

it('a client that tells nothing any more has no levels, and keeps its totals', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const metrics = new Registry()
  createKafkaClientMetrics(metrics).librdkafka('live')({
    ...nothing,
    brokersConnected: 3,
    sentBytes: 100,
  })
  expect(await seriesOf(metrics)).toHaveLength(2)
  vi.advanceTimersByTime(31_000)
  expect(await seriesOf(metrics)).toEqual(['sent_bytes_total{client="live"} 100'])
})

it('fetches are counted between two scrapes, and their queue is asked at each', async () => {
  const metrics = new Registry()
  const kafka = createKafkaClientMetrics(metrics)
  let queue: { readonly bytes: number; readonly limit: number } | undefined
  const fetching = kafka.fetching('view')
  fetching.queuedWith(() => queue)
  fetching.fetched(1_000)
  fetching.failed()
  expect(await seriesOf(metrics)).toEqual([
    'received_bytes_total{client="view"} 1000',
    'fetch_requests_total{client="view"} 1',
    'fetch_errors_total{client="view"} 1',
  ])
  // The next reader of the role.
  kafka.fetching('view').fetched(500)
  queue = { bytes: 7, limit: 9 }
  expect(await seriesOf(metrics)).toEqual([
    'received_bytes_total{client="view"} 1500',
    'fetch_requests_total{client="view"} 2',
    'fetch_errors_total{client="view"} 1',
    'fetch_queue_bytes{client="view"} 7',
    'fetch_queue_bytes_limit{client="view"} 9',
  ])
})
