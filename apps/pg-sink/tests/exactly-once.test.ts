import { describe, expect, it } from 'vitest'

import type { MarketEvent } from '@tickertape/market-model'
import { repetitions, waitUntil } from '@tickertape/testing'
import type { ServiceProcess } from '@tickertape/testing'

import {
  base,
  createSinkLog,
  expectedTrades,
  heartbeat,
  patiently,
  storedTrades,
  trades,
} from './sink-log.ts'
import { ask } from './admin-port.ts'
import type { SinkLog } from './sink-log.ts'

const kills = repetitions({ short: 5, long: 25 })
const small = { PG_SINK_BATCH_SIZE: '200' }

let groups = 0

/** It need not wait until the broker takes one that was killed for dead: where it goes on stands in the database. */
function startInOwnGroup(log: SinkLog): ServiceProcess {
  groups += 1
  return log.startSink({ ...small, PG_SINK_GROUP_ID: `group-${groups}` })
}

async function tradeCount({ database }: SinkLog): Promise<number> {
  const { rows } = await database.query<{ count: string }>('select count(*) as count from trades')
  return Number(rows[0]?.count)
}

/** Rows and offsets at one moment: the server may still commit what a killed sink sent. */
async function storedState(log: SinkLog) {
  return log.database.transaction(async (transaction) => {
    const { rows } = await transaction.query<{ partition: number; next_offset: string }>({
      text: 'select partition, next_offset from sink_offsets where topic = $1',
      values: [log.topic('market-events')],
    })
    const offsets = new Map(
      rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]),
    )
    return { offsets, trades: await storedTrades(transaction) }
  }, 'begin isolation level repeatable read')
}

/** Whatever was written, it is exactly what lies below the stored offsets. */
async function expectAtomic(log: SinkLog, events: readonly MarketEvent[]): Promise<void> {
  const state = await storedState(log)
  expect(state.trades).toEqual(
    expectedTrades(events, (partition) => state.offsets.get(partition) ?? 0),
  )
}

async function whenAllStored(log: SinkLog, events: readonly MarketEvent[]): Promise<void> {
  const expected = expectedTrades(events, () => Infinity)
  await waitUntil('all trades', async () => (await tradeCount(log)) >= expected.length)
  expect(await storedTrades(log.database)).toEqual(expected)
}

describe('exactly once', () => {
  it('kill -9 at any moment leaves the rows of the stored offsets, no more and no fewer', async () => {
    await using log = await createSinkLog()
    const perKill = 6_000
    const events: MarketEvent[] = []
    let sink = startInOwnGroup(log)
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        const before = await tradeCount(log)
        const more = trades(kill * perKill, (kill + 1) * perKill)
        events.push(...more)
        await log.appendEvents(more)
        // In the middle of the work on what was just written.
        await waitUntil('progress', async () => (await tradeCount(log)) > before, { everyMs: 5 })
        await sink.stop('SIGKILL')
        await expectAtomic(log, events)
        sink = startInOwnGroup(log)
      }
      await whenAllStored(log, events)
    } finally {
      await sink.stop('SIGTERM')
    }
  })

  it.each(['trades', 'sink_offsets', 'feed_watermarks'])(
    'kill -9 while a batch waits for %s, in the middle of its transaction, undoes all of the batch',
    async (table) => {
      await using log = await createSinkLog()
      const early = trades(0, 1_000)
      const events = [...early, ...trades(1_000, 3_000)]
      await using first = log.startSink(small)
      await log.appendEvents(early)
      await whenAllStored(log, early)
      await log.database.transaction(async (transaction) => {
        await transaction.query(patiently)
        await transaction.query(`lock table ${table} in share mode`)
        await log.appendEvents([...events.slice(early.length), heartbeat(base)])
        await waitUntil('the batch to wait', async () => {
          const { count } = await log.database.query(
            `select from pg_stat_activity where application_name = 'pg-sink'
              and datname = current_database() and wait_event_type = 'Lock'`,
          )
          return count > 0
        })
        await first.stop('SIGKILL')
      })
      await expectAtomic(log, events)
      await using second = startInOwnGroup(log)
      await whenAllStored(log, events)
      expect(second.running).toBe(true)
    },
  )

  it('SIGTERM writes what was read, and the next instance goes on behind it', async () => {
    await using log = await createSinkLog()
    const events = trades(0, 1_000)
    await log.appendEvents(events)
    // A batch that never fills and waits for an hour: only the end of the sink writes it.
    await using first = log.startSink({
      PG_SINK_BATCH_SIZE: '100000',
      PG_SINK_BATCH_WAIT_MS: '3600000',
    })
    await waitUntil('everything to be read', async () => {
      const lag = `pg_sink_lag_records{topic="${log.topic('market-events')}",service="pg-sink"} 0\n`
      return (await ask(first, '/metrics')).includes(lag)
    })
    expect(await tradeCount(log)).toBe(0)
    expect(await first.stop('SIGTERM'), first.output).toBe(0)
    expect(await storedTrades(log.database)).toEqual(expectedTrades(events, () => Infinity))
    const more = trades(1_000, 2_000)
    await log.appendEvents(more)
    await using second = log.startSink(small)
    await whenAllStored(log, [...events, ...more])
    expect(second.running).toBe(true)
  })

  it('an owner that was frozen while another took over writes nothing twice', async () => {
    await using log = await createSinkLog()
    const events = trades(0, 30_000)
    await using first = log.startSink(small)
    await log.appendEvents(events)
    await waitUntil('progress', async () => (await tradeCount(log)) > 0, { everyMs: 5 })
    if (first.pid !== undefined) process.kill(first.pid, 'SIGSTOP')
    await using second = log.startSink(small)
    await whenAllStored(log, events)
    if (first.pid !== undefined) process.kill(first.pid, 'SIGCONT')
    const more = trades(30_000, 40_000)
    await log.appendEvents(more)
    await whenAllStored(log, [...events, ...more])
    expect(second.running).toBe(true)
    // It was overtaken, which is no fault of its own: it has joined the group again, or is about to.
    await waitUntil('the first to be back', async () => {
      return (await ask(first, '/readyz')).includes('"ready":true')
    })
    expect(first.running, first.output).toBe(true)
  })
})
