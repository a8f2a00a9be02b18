import { TcpProxy, byWayOf, waitUntil } from '@tickertape/testing'
import { startSpanSink } from '@tickertape/tracing/testing'
import { expect, it } from 'vitest'

import { faultSettings, refusePoison } from './fault-run.ts'
import { poison } from './fault-market.ts'
import { createSinkLog, storedTrades, trade } from './sink-log.ts'

const [good, bad] = ['a'.repeat(32), 'b'.repeat(32)] as const
const spanId = '1'.repeat(16)

function inTrace(traceId: string) {
  return [{ traceparent: `00-${traceId}-${spanId}-01` }]
}

it('a sampled record has its spans once, though its batch failed before: the database was away, a row was refused', async () => {
  await using log = await createSinkLog()
  await refusePoison(log)
  await using collector = await startSpanSink()
  await using proxy = await TcpProxy.to(new URL(log.databaseUrl).host)
  await using sink = log.startSink({
    ...faultSettings,
    DATABASE_URL: byWayOf(proxy, log.databaseUrl),
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${collector.url}/api/v2/spans`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  })
  await log.appendEvents([trade(0)])
  await waitUntil('a trade without a trace', async () => (await storedTrades(log.database))[0])
  proxy.shut()
  await log.appendEvents([trade(1)], inTrace(good))
  await log.appendEvents([trade(2, { tradeId: `${poison}2` })], inTrace(bad))
  await waitUntil('the fault', () => sink.output.includes('database is not available'))
  proxy.open()
  const processed = () => collector.spans.filter(({ name }) => name === 'process market-events')
  await waitUntil('both spans', () => processed().length >= 2)
  expect(await sink.stop('SIGTERM'), sink.output).toBe(0)
  const byTrace = processed().toSorted((one, other) => (one.traceId < other.traceId ? -1 : 1))
  expect(byTrace).toMatchObject([
    { traceId: good, parentId: spanId, kind: 'CONSUMER' },
    { traceId: bad, tags: { error: 'rejected: refused_by_database' } },
  ])
  expect(byTrace[0]?.tags['error']).toBeUndefined()
  const commits = collector.spans.filter(({ name }) => name === 'commit')
  const stored = new Set(processed().map(({ id }) => id))
  expect(commits.length).toBeGreaterThan(0)
  expect(commits.filter(({ parentId = '' }) => !stored.has(parentId))).toEqual([])
  const rejection = sink.output.split('\n').find((line) => line.includes('record rejected'))
  expect(rejection).toContain(`"trace_id":"${bad}"`)
})
