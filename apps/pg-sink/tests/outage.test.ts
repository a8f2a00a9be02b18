import { describe, expect, it } from 'vitest'

import type { ServiceProcess } from '@tickertape/testing'
import { TcpProxy, byWayOf, repetitions, waitUntil } from '@tickertape/testing'

import { ask } from './admin-port.ts'
import { createSinkLog, expectedTrades, storedTrades, trades } from './sink-log.ts'

const cuts = repetitions({ short: 4, long: 25 })

async function readiness(sink: ServiceProcess): Promise<{ ready: boolean; reasons: unknown[] }> {
  // The shape that service-runtime documents.
  return JSON.parse(await ask(sink, '/readyz')) as { ready: boolean; reasons: unknown[] }
}

describe('a database that goes away', () => {
  it('in the middle of anything: nothing is lost or doubled, and the sink goes on by itself', async () => {
    await using log = await createSinkLog()
    await using proxy = await TcpProxy.to(new URL(log.databaseUrl).host)
    await using sink = log.startSink({
      DATABASE_URL: byWayOf(proxy, log.databaseUrl),
      PG_SINK_BATCH_SIZE: '100',
      PG_SINK_RETRY_BACKOFF_MS: '10',
      PG_SINK_RETRY_BACKOFF_MAX_MS: '100',
    })
    const events = trades(0, cuts * 5_000)
    const expected = expectedTrades(events, () => Infinity)
    for (let cut = 0; cut < cuts; cut += 1) {
      const before = (await storedTrades(log.database)).length
      const part = events.slice((cut * events.length) / cuts, ((cut + 1) * events.length) / cuts)
      await log.appendEvents(part.slice(0, -100))
      await waitUntil('progress', async () => (await storedTrades(log.database)).length > before, {
        everyMs: 5,
      })
      proxy.shut()
      // It may have been at the end of the log: only who has something to write misses a database.
      await log.appendEvents(part.slice(-100))
      await waitUntil('not ready', async () => !(await readiness(sink)).ready)
      proxy.open()
      await waitUntil('ready', async () => (await readiness(sink)).ready)
    }
    await waitUntil(
      'all trades',
      async () => (await storedTrades(log.database)).length >= expected.length,
    )
    expect(await storedTrades(log.database)).toEqual(expected)
    expect(sink.running, sink.output).toBe(true)
  })

  it('the sink says why it is not ready, and stops on SIGTERM all the same', async () => {
    await using log = await createSinkLog()
    await using proxy = await TcpProxy.to(new URL(log.databaseUrl).host)
    proxy.shut()
    await using sink = log.startSink({ DATABASE_URL: byWayOf(proxy, log.databaseUrl) })
    await waitUntil('the reason', async () =>
      JSON.stringify(await readiness(sink)).includes('database is not available'),
    )
    expect(await sink.stop('SIGTERM'), sink.output).toBe(0)
  })

  it('the server ends the sink’s connections, as a restart does: it opens others', async () => {
    await using log = await createSinkLog()
    await using sink = log.startSink({ PG_SINK_BATCH_SIZE: '100' })
    const events = trades(0, 20_000)
    const expected = expectedTrades(events, () => Infinity)
    await log.appendEvents(events)
    await waitUntil('progress', async () => (await storedTrades(log.database)).length > 0)
    await waitUntil('a connection', async () => {
      const { count } = await log.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'pg-sink' and datname = current_database()`,
      )
      return count > 0
    })
    await waitUntil(
      'all trades',
      async () => (await storedTrades(log.database)).length >= expected.length,
    )
    expect(await storedTrades(log.database), sink.output).toEqual(expected)
  })
})

describe('a database that the sink cannot use', () => {
  it('one of a newer version stops the sink at start, with the reason', async () => {
    await using log = await createSinkLog()
    await log.database.query(
      `insert into schema_migrations (number, name, sha256) values (999, '0999_future', '')`,
    )
    await using sink = log.startSink()
    expect(await sink.exited()).toBe(1)
    expect(sink.output).toContain('0999_future, which this version does not know')
  })
})
