import { TcpProxy, byWayOf, waitUntil } from '@tickertape/testing'
import type { ServiceProcess } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { ask } from './admin-port.ts'
import { candle, createSinkLog, partitions, storedTrades, trades } from './sink-log.ts'

/** Values of a metric's series of a topic, added up; undefined until each of its partitions has one. */
async function sumOf(
  sink: ServiceProcess,
  metric: string,
  topic: string,
): Promise<number | undefined> {
  const lines = (await ask(sink, '/metrics')).split('\n')
  const told = lines.filter(
    (line) => line.startsWith(`${metric}{`) && line.includes(`topic="${topic}"`),
  )
  if (told.length < (told[0]?.includes('partition=') === true ? partitions : 1)) return undefined
  return told.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** A service starts in it on a machine with much else to do. */
const patience = { withinMs: 120_000 }

it('the lag grows in records and seconds while the database is away, and is 0 when all is written', async () => {
  await using log = await createSinkLog()
  await using proxy = await TcpProxy.to(new URL(log.databaseUrl).host)
  await using sink = log.startSink({ DATABASE_URL: byWayOf(proxy, log.databaseUrl) })
  const events = trades(0, 400)
  const [topic, candles] = [log.topic('market-events'), log.topic('candles')]
  await log.appendEvents(events.slice(0, 200))
  // Written in a transaction, whose marker takes an offset that nobody commits.
  await log.appendCandles([candle()])
  const isAtEnd = async (of: string): Promise<boolean> =>
    (await sumOf(sink, 'kafka_consumergroup_lag', of)) === 0 &&
    (await sumOf(sink, 'kafka_consumergroup_lag_seconds', of)) === 0
  await waitUntil(
    'all to be written',
    async () => (await isAtEnd(topic)) && (await isAtEnd(candles)),
    patience,
  )
  const written = (await storedTrades(log.database)).length
  expect(written).toBeGreaterThan(0)
  expect(await sumOf(sink, 'kafka_topic_retention_seconds', topic)).toBe(7 * 86_400)
  proxy.shut()
  await log.appendEvents(events.slice(200))
  const first = await waitUntil(
    'a lag',
    async () => {
      const seconds = await sumOf(sink, 'kafka_consumergroup_lag_seconds', topic)
      return seconds !== undefined && seconds > 0 ? seconds : undefined
    },
    patience,
  )
  expect(await sumOf(sink, 'kafka_consumergroup_lag', topic)).toBeGreaterThan(0)
  await waitUntil(
    'it to grow',
    async () => {
      const seconds = await sumOf(sink, 'kafka_consumergroup_lag_seconds', topic)
      return seconds !== undefined && seconds > first + 1
    },
    patience,
  )
  expect(await isAtEnd(candles)).toBe(true)
  proxy.open()
  await waitUntil('all to be written again', () => isAtEnd(topic), patience)
  expect((await storedTrades(log.database)).length).toBeGreaterThan(written)
  expect(await ask(sink, '/metrics')).toMatch(/^pg_sink_freshness_seconds_count\{.*\} [1-9]/m)
})
