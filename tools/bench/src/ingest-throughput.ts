import { fileURLToPath } from 'node:url'

import { ensureTopics } from '@tickertape/kafka-avro'
import { ServiceProcess, waitUntil } from '@tickertape/testing'

import { BinanceServer } from './binance-server.ts'
import { startIngest } from './ingest-process.ts'
import type { IngestOptions } from './ingest-process.ts'
import { countTrades } from './trades-in-log.ts'

/** Messages of one measurement; before it so many are sent that code is compiled. */
const messages = 1_000_000
const warmUpMessages = 50_000

const bareClient = fileURLToPath(new URL('./bare-socket-main.ts', import.meta.url))

export interface IngestThroughput {
  readonly messagesPerSecond: number
  readonly cpuMicrosPerMessage: number
  readonly rssMb: number
}

/**
 * Sends trades as fast as ingest reads them, from the first one to the acknowledgement of the last.
 *
 * @throws Error if the log does not hold each of them once.
 */
export async function measureIngest(
  options: Omit<IngestOptions, 'server'>,
): Promise<IngestThroughput> {
  const { stack, prefix } = options
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix })
  await using server = await BinanceServer.start()
  await using ingest = startIngest({ ...options, server })
  await ingest.joined()
  const written = async (trades: number): Promise<boolean> =>
    (await ingest.metric('ingest_trades_total')) >= trades &&
    (await ingest.metric('ingest_in_flight_records')) === 0
  await server.send(warmUpMessages)
  await ingest.until('write the first trades', () => written(warmUpMessages))
  const begin = await ingest.usage()
  await server.send(messages)
  await ingest.until('write the last trade', () => written(warmUpMessages + messages))
  const end = await ingest.usage()
  await ingest.stop()
  const found = await countTrades(stack, prefix)
  if (found.trades !== warmUpMessages + messages || found.repeated > 0) {
    throw new Error(
      `${warmUpMessages + messages} trades were sent, and market-events has ${found.trades} of which ${found.repeated} more than once`,
    )
  }
  return {
    messagesPerSecond: messages / ((end.at - begin.at) / 1_000),
    cpuMicrosPerMessage: ((end.cpuSeconds - begin.cpuSeconds) * 1e6) / messages,
    rssMb: end.peakRssMb,
  }
}

/** The same frames, read by a process that counts them and does nothing else. */
export async function measureBareSocket(): Promise<number> {
  await using server = await BinanceServer.start()
  await using client = ServiceProcess.start({
    main: bareClient,
    arguments: [server.webSocketUrl, String(messages)],
    environment: {},
  })
  await waitUntil('the bare client to subscribe', () => server.isSubscribed, { withinMs: 30_000 })
  await server.send(messages)
  let rate: string | undefined
  await waitUntil(
    'the bare client to count',
    () => {
      rate = /messagesPerSecond (\d+)/.exec(client.output)?.[1]
      return rate !== undefined
    },
    { withinMs: 60_000 },
  )
  return Number(rate)
}
