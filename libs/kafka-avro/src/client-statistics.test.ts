import { expect, it } from 'vitest'

import { readStatistics } from './client-statistics.ts'

function broker(nodeid: number, facts: object) {
  const nothing = { waitresp_cnt: 0, req_timeouts: 0, txretries: 0, txerrs: 0, rxerrs: 0 }
  const rtt = { cnt: 0, p50: 0, p99: 0 }
  return { nodeid, state: 'UP', ...nothing, disconnects: 0, rtt, ...facts }
}

const totals = { txmsgs: 100, tx_bytes: 2_000, rxmsgs: 30, rx_bytes: 900 }
const queue = { msg_cnt: 7, msg_max: 500_000, msg_size: 700, msg_size_max: 1_073_741_824 }

it('what brokers tell is added up, and the slowest one has the round trip', () => {
  const brokers = {
    'one/1': broker(1, {
      waitresp_cnt: 2,
      txretries: 1,
      txerrs: 1,
      rtt: { cnt: 9, p50: 400, p99: 2_000 },
    }),
    'two/2': broker(2, {
      waitresp_cnt: 1,
      req_timeouts: 3,
      rxerrs: 2,
      rtt: { cnt: 1, p50: 900, p99: 900 },
    }),
    'three/3': broker(3, {
      state: 'DOWN',
      disconnects: 4,
      rtt: { cnt: 0, p50: 9_000_000, p99: 0 },
    }),
    GroupCoordinator: broker(-1, { disconnects: 1 }),
  }
  const topics = {
    a: { partitions: { '0': { fetchq_cnt: 5 }, '1': { fetchq_cnt: 6 }, '-1': { fetchq_cnt: 0 } } },
  }
  expect(readStatistics(JSON.stringify({ ...totals, ...queue, brokers, topics }))).toEqual({
    queueMessages: 7,
    queueMessagesLimit: 500_000,
    queueBytes: 700,
    queueBytesLimit: 1_073_741_824,
    requestsInFlight: 3,
    requestTimeouts: 3,
    requestRetries: 1,
    requestErrors: 3,
    sentMessages: 100,
    sentBytes: 2_000,
    receivedMessages: 30,
    receivedBytes: 900,
    brokersConnected: 2,
    brokerDisconnects: 5,
    fetchQueueMessages: 11,
    brokerRtt: { median: 0.0009, p99: 0.002 },
  })
})

it('a round trip of which nothing was measured is not told', () => {
  const text = JSON.stringify({ ...totals, ...queue, brokers: { b: broker(1, {}) }, topics: {} })
  expect(readStatistics(text).brokerRtt).toBeUndefined()
})
