import type { Client } from '@confluentinc/kafka-javascript'

/** What a librdkafka client tells of itself. Totals are since it was opened, levels are of now. */
export interface ClientStatistics {
  /** Records that wait to be sent or acknowledged. */
  readonly queueMessages: number
  /** 0 where the client has no such queue: a consumer. */
  readonly queueMessagesLimit: number
  readonly queueBytes: number
  readonly queueBytesLimit: number
  readonly requestsInFlight: number
  readonly requestTimeouts: number
  readonly requestRetries: number
  readonly requestErrors: number
  readonly sentMessages: number
  /** Of requests of all kinds. */
  readonly sentBytes: number
  readonly receivedMessages: number
  readonly receivedBytes: number
  readonly brokersConnected: number
  readonly brokerDisconnects: number
  /** Records that are fetched and not read yet. */
  readonly fetchQueueMessages: number
  /** Of the slowest broker, in seconds; undefined if none has answered since the last statistics. */
  readonly brokerRtt: { readonly median: number; readonly p99: number } | undefined
}

/** Whoever wants to know of a client, every `statisticsEveryMs`. */
export type OnStatistics = (statistics: ClientStatistics) => void

export const statisticsEveryMs = 5_000

/** librdkafka's STATISTICS.md, the part that is read here. */
interface LibrdkafkaStatistics {
  readonly msg_cnt: number
  readonly msg_max: number
  readonly msg_size: number
  readonly msg_size_max: number
  readonly txmsgs: number
  readonly tx_bytes: number
  readonly rxmsgs: number
  readonly rx_bytes: number
  readonly brokers: Readonly<Record<string, BrokerStatistics>>
  readonly topics: Readonly<
    Record<
      string,
      { readonly partitions: Readonly<Record<string, { readonly fetchq_cnt: number }>> }
    >
  >
}

interface BrokerStatistics {
  /** Below 0: a name for one that is found out, the group's coordinator or a bootstrap address. */
  readonly nodeid: number
  readonly state: string
  readonly waitresp_cnt: number
  readonly req_timeouts: number
  readonly txretries: number
  readonly txerrs: number
  readonly rxerrs: number
  readonly disconnects: number
  /** Microseconds. */
  readonly rtt: { readonly cnt: number; readonly p50: number; readonly p99: number }
}

/** librdkafka's setting: it tells of itself only to those who want to know. */
export function statisticsSettings(onStatistics: OnStatistics | undefined) {
  return onStatistics === undefined ? {} : { 'statistics.interval.ms': statisticsEveryMs }
}

/** To be called before the client connects. */
export function tellStatistics(
  client: Client<string>,
  onStatistics: OnStatistics | undefined,
): void {
  if (onStatistics === undefined) return
  client.on('event.stats', ({ message }: { readonly message: string }) => {
    onStatistics(readStatistics(message))
  })
}

/** @param text librdkafka's JSON. */
export function readStatistics(text: string): ClientStatistics {
  // librdkafka writes it: STATISTICS.md is its contract.
  const told = JSON.parse(text) as LibrdkafkaStatistics
  const brokers = Object.values(told.brokers)
  const sum = (of: (broker: BrokerStatistics) => number) =>
    brokers.reduce((total, broker) => total + of(broker), 0)
  const heard = brokers.filter(({ rtt }) => rtt.cnt > 0)
  const slowest = (of: (broker: BrokerStatistics) => number) => Math.max(...heard.map(of)) / 1e6
  return {
    queueMessages: told.msg_cnt,
    queueMessagesLimit: told.msg_max,
    queueBytes: told.msg_size,
    queueBytesLimit: told.msg_size_max,
    requestsInFlight: sum((broker) => broker.waitresp_cnt),
    requestTimeouts: sum((broker) => broker.req_timeouts),
    requestRetries: sum((broker) => broker.txretries),
    requestErrors: sum(({ txerrs, rxerrs }) => txerrs + rxerrs),
    sentMessages: told.txmsgs,
    sentBytes: told.tx_bytes,
    receivedMessages: told.rxmsgs,
    receivedBytes: told.rx_bytes,
    brokersConnected: brokers.filter(({ nodeid, state }) => nodeid >= 0 && state === 'UP').length,
    brokerDisconnects: sum(({ disconnects }) => disconnects),
    fetchQueueMessages: Object.values(told.topics)
      .flatMap(({ partitions }) => Object.values(partitions))
      .reduce((total, { fetchq_cnt: waiting }) => total + Math.max(0, waiting), 0),
    brokerRtt:
      heard.length === 0
        ? undefined
        : { median: slowest(({ rtt }) => rtt.p50), p99: slowest(({ rtt }) => rtt.p99) },
  }
}

/** What a reader that fetches by itself tells of each fetch. */
export interface FetchMeasure {
  /** @param bytes of the record batches, compressed as they come. */
  fetched(bytes: number): void
  /** It is made again, or reading ends with the reason. */
  failed(): void
}

/** Bytes that a reader has fetched and not given out, and up to where it fetches on. */
export interface FetchQueue {
  readonly bytes: number
  readonly limit: number
}
