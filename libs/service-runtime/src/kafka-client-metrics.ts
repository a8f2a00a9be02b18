import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

/** What a librdkafka client tells of itself every few seconds; totals are since it was opened. */
export interface KafkaClientStatistics {
  readonly queueMessages: number
  /** 0 where the client has no queue of its own. */
  readonly queueMessagesLimit: number
  readonly queueBytes: number
  readonly queueBytesLimit: number
  readonly requestsInFlight: number
  readonly requestTimeouts: number
  readonly requestRetries: number
  readonly requestErrors: number
  readonly sentMessages: number
  readonly sentBytes: number
  readonly receivedMessages: number
  readonly receivedBytes: number
  readonly brokersConnected: number
  readonly brokerDisconnects: number
  readonly fetchQueueMessages: number
  /** Of the slowest broker, in seconds; undefined if none has answered lately. */
  readonly brokerRtt: { readonly median: number; readonly p99: number } | undefined
}

/** What a reader that fetches by itself tells, each time. */
export interface KafkaFetchMeasure {
  fetched(bytes: number): void
  failed(): void
  /** @param queue asked at each scrape: what is read ahead, and up to where it is read on. */
  queuedWith(queue: () => { readonly bytes: number; readonly limit: number } | undefined): void
}

export interface KafkaClientMetrics {
  /**
   * @param client the role of the client in its service; several that are open one after the other share it.
   * @returns to be called with each of the client's statistics; one for each client that is opened.
   */
  librdkafka(client: string): (statistics: KafkaClientStatistics) => void
  fetching(client: string): KafkaFetchMeasure
}

/** Statistics that are older than this, in ms, are of a client that is gone. */
const goneAfterMs = 30_000

/** Since the last scrape. */
interface FetchCounts {
  answers: number
  bytes: number
  failures: number
}

type Total =
  | 'requestTimeouts'
  | 'requestRetries'
  | 'requestErrors'
  | 'sentMessages'
  | 'sentBytes'
  | 'receivedMessages'
  | 'receivedBytes'
  | 'brokerDisconnects'

type Level =
  | 'queueMessages'
  | 'queueMessagesLimit'
  | 'queueBytes'
  | 'queueBytesLimit'
  | 'requestsInFlight'
  | 'brokersConnected'
  | 'fetchQueueMessages'

const levels: readonly (readonly [Level, string, string])[] = [
  ['queueMessages', 'queue_messages', 'Records that wait in the client to be sent or acknowledged'],
  ['queueMessagesLimit', 'queue_messages_limit', 'Most records that the client takes at a time'],
  ['queueBytes', 'queue_bytes', 'Bytes of the records that wait in the client'],
  ['queueBytesLimit', 'queue_bytes_limit', 'Most bytes of records that the client takes at a time'],
  ['requestsInFlight', 'requests_in_flight', 'Requests that brokers have not answered yet'],
  ['brokersConnected', 'brokers_connected', 'Brokers that the client is connected to'],
  ['fetchQueueMessages', 'fetch_queue_messages', 'Records that are fetched and not read yet'],
]

const totals: readonly (readonly [Total, string, string])[] = [
  ['requestTimeouts', 'request_timeouts', 'Requests that brokers did not answer in time'],
  ['requestRetries', 'request_retries', 'Requests that were sent again'],
  ['requestErrors', 'request_errors', 'Requests that could not be sent, and answers not read'],
  ['sentMessages', 'sent_messages', 'Records sent'],
  ['sentBytes', 'sent_bytes', 'Bytes sent, requests of all kinds'],
  ['receivedMessages', 'received_messages', 'Records received'],
  ['receivedBytes', 'received_bytes', 'Bytes received, answers of all kinds'],
  ['brokerDisconnects', 'broker_disconnects', 'Connections to brokers that ended'],
]

/** Kafka clients by their roles in the service; what librdkafka tells of itself under names that stay. */
export function createKafkaClientMetrics(metrics: Registry): KafkaClientMetrics {
  const latest = new Map<string, { readonly of: KafkaClientStatistics; readonly at: number }>()
  const registers = [metrics]

  function gauge(
    name: string,
    help: string,
    set: (gauge: Gauge, client: string, of: KafkaClientStatistics) => void,
    ...labels: readonly string[]
  ): void {
    const metric: Gauge = new Gauge({
      name: `kafka_client_${name}`,
      help,
      labelNames: ['client', ...labels],
      registers,
      collect: () => {
        metric.reset()
        for (const [client, { of, at }] of latest) {
          if (performance.now() - at <= goneAfterMs) set(metric, client, of)
        }
      },
    })
  }

  for (const [level, name, help] of levels) {
    gauge(name, help, (each, client, of) => each.set({ client }, of[level]))
  }
  gauge(
    'broker_rtt_seconds',
    'From a request to its answer, by the slowest broker, over the last seconds',
    (each, client, { brokerRtt }) => {
      if (brokerRtt === undefined) return
      each.set({ client, quantile: '0.5' }, brokerRtt.median)
      each.set({ client, quantile: '0.99' }, brokerRtt.p99)
    },
    'quantile',
  )
  // Fetches are many, and an increment takes microseconds: they are counted here, and told at each scrape.
  const untold = new Map<string, FetchCounts>()
  const counter = (name: string, help: string, of?: keyof FetchCounts): Counter => {
    const metric: Counter = new Counter({
      name: `kafka_client_${name}_total`,
      help,
      labelNames: ['client'],
      registers,
      collect: () => {
        if (of === undefined) return
        for (const [client, counts] of untold) {
          metric.inc({ client }, counts[of])
          counts[of] = 0
        }
      },
    })
    return metric
  }
  const counters = totals.map(([total, name, help]) => ({
    total,
    counter: counter(name, help, total === 'receivedBytes' ? 'bytes' : undefined),
  }))
  counter('fetch_requests', 'Fetches answered, of readers that fetch by themselves', 'answers')
  counter('fetch_errors', 'Fetches that failed and are made again', 'failures')
  const queues = new Map<string, Parameters<KafkaFetchMeasure['queuedWith']>[0]>()
  const queueGauge = (name: string, help: string, of: 'bytes' | 'limit') =>
    new Gauge({
      name: `kafka_client_${name}`,
      help,
      labelNames: ['client'],
      registers,
      collect() {
        this.reset()
        for (const [client, queue] of queues) {
          const level = queue()?.[of]
          if (level !== undefined) this.set({ client }, level)
        }
      },
    })
  queueGauge('fetch_queue_bytes', 'Bytes that are fetched and not read yet', 'bytes')
  queueGauge('fetch_queue_bytes_limit', 'Bytes up to which a reader fetches ahead', 'limit')

  return {
    librdkafka(client) {
      let before: KafkaClientStatistics | undefined
      return (statistics) => {
        latest.set(client, { of: statistics, at: performance.now() })
        for (const { total, counter: each } of counters) {
          each.inc({ client }, Math.max(0, statistics[total] - (before?.[total] ?? 0)))
        }
        before = statistics
      }
    },
    fetching(client) {
      const counts = untold.get(client) ?? { answers: 0, bytes: 0, failures: 0 }
      untold.set(client, counts)
      return {
        fetched(bytes) {
          counts.answers += 1
          counts.bytes += bytes
        },
        failed() {
          counts.failures += 1
        },
        queuedWith(queue) {
          queues.set(client, queue)
        },
      }
    },
  }
}
