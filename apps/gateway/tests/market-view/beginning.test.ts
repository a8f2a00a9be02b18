import type { MarketEvent } from '@tickertape/market-model'
import { migrate } from '@tickertape/market-store'
import { testStack, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { candle, heartbeat, trade } from '../../src/market-view/testing/market.ts'
import { createViewLog } from './view-log.ts'

const base = Date.UTC(2026, 0, 5)
const minuteMs = 60_000

function tradeEvent(number: number): MarketEvent {
  const eventTime = base + number
  return { type: 'Trade', value: trade(number, { eventTime, receivedAt: eventTime }) }
}

describe('where a view begins', () => {
  it('has all that the topics hold while the database is empty', async () => {
    await using log = await createViewLog()
    await log.appendEvents([
      tradeEvent(1),
      tradeEvent(2),
      tradeEvent(1),
      heartbeat(base + minuteMs),
    ])
    await log.appendCandles([
      candle({ windowStart: base }),
      candle({ windowStart: base, revision: 1, tradeCount: 2 }),
    ])
    await log.appendOpenCandles([
      candle({ windowStart: base, final: false }),
      candle({ windowStart: base + minuteMs, final: false }),
    ])
    await using view = await log.open().opened
    expect(view.trades('venue:a', 10).map(({ tradeId }) => tradeId)).toEqual(['t1', 't2'])
    const held = view.candles('venue:a', '1m', 10)
    expect(held.map(({ windowStart, revision, final }) => [windowStart, revision, final])).toEqual([
      [base, 1, true],
      [base + minuteMs, 0, false],
    ])
    expect(view.feeds()).toEqual([{ feedId: 'feed', upTo: base + minuteMs, instruments: 1 }])
  })

  it('waits for tables that are not there yet, and says so', async () => {
    await using log = await createViewLog(false)
    await log.appendEvents([tradeEvent(1)])
    const { opened, readiness } = log.open()
    await waitUntil('a reason', () =>
      readiness.reasons.some(({ reason }) => reason.includes('sink_offsets')),
    )
    const { rows } = await log.database.query<{ url: string }>('select current_database() as url')
    const url = new URL(testStack().databaseUrl)
    url.pathname = `/${rows[0]?.url}`
    await migrate(url.toString())
    await using view = await opened
    expect(view.trades('venue:a', 10)).toHaveLength(1)
    expect(readiness.reasons).toEqual([])
  })

  it('does not begin where Kafka has no longer what the database lacks', async () => {
    await using log = await createViewLog()
    await log.database.query({
      text: `insert into sink_offsets (topic, partition, next_offset, epoch) values ($1, 0, 1000, 1)`,
      values: [log.topic('candles')],
    })
    const stopping = new AbortController()
    const { opened, readiness } = log.open({}, stopping.signal)
    const ended = opened.then(
      () => 'opened',
      () => 'ended',
    )
    await waitUntil('a reason', () =>
      readiness.reasons.some(({ reason }) => reason.includes('made anew')),
    )
    stopping.abort()
    expect(await ended).toBe('ended')
  })

  it('leaves out what nobody can read, counts it and goes on', async () => {
    await using log = await createViewLog()
    const { opened, metrics } = log.open()
    await using view = await opened
    const topic = log.topic('market-events')
    await log.append({ topic, partition: 0, key: 'x', value: Buffer.from('no record') })
    await log.append({ topic, partition: 1, key: 'x', value: Buffer.from([0, 0, 0, 0]) })
    await log.appendEvents([tradeEvent(1)])
    await waitUntil('the trade', () => view.trades('venue:a', 10).length === 1)
    await waitUntil('both', () => view.position().marketEvents.every((offset) => offset > 0))
    const counted = `gateway_view_skipped_records_total{topic="${topic}",reason="undecodable"} 2`
    expect(await metrics.metrics()).toContain(counted)
    await waitUntil('nothing to be left', () => view.lags().every(({ records }) => records === 0))
  })
})

describe('a resume', () => {
  it('is told when its position is too old, or one that the topics never had', async () => {
    await using log = await createViewLog()
    await using view = await log.open({ backlog: { updates: 2, bytes: 100_000 } }).opened
    const first = view.position()
    await log.appendEvents([tradeEvent(1), tradeEvent(2)])
    await waitUntil('two trades', () => view.trades('venue:a', 10).length === 2)
    expect(view.since(first)).toHaveLength(2)
    await log.appendEvents([tradeEvent(3)])
    await waitUntil('three trades', () => view.trades('venue:a', 10).length === 3)
    expect(view.since(first)).toBe('too_old')
    const { candles, marketEvents } = view.position()
    const never = marketEvents.map((offset) => offset + 1_000_000)
    expect(view.since({ candles, marketEvents: never })).toBe('unknown')
    expect(view.since({ candles: [0], marketEvents: [0] })).toBe('unknown')
  })
})
