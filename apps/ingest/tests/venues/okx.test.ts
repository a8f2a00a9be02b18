import { describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { gapsOnceClosed } from '../gap-facts.ts'
import { IngestRun } from '../ingest-run.ts'
import { duplicatesOf, liesOf, tradesOf, truthOf } from '../log-facts.ts'
import type { PlainTrade } from '../log-facts.ts'

describe.concurrent('a service upgrade that OKX announces', () => {
  it('is met by another connection, and leaves neither gap nor duplicate', async () => {
    const market = { venue: 'okx', instruments: ['BTC-USDT', 'ETH-USDT'] } as const
    await using run = await IngestRun.open({ ...market, simulator: { speed: 3 } })
    await run.advance(3_000)
    const text = JSON.stringify({
      event: 'notice',
      code: '64008',
      msg: 'The connection will soon be closed for a service upgrade. Please reconnect.',
      connId: 'x',
    })
    const { reached } = (await run.arm('error-frame', { text })) as { reached: readonly number[] }
    expect(reached).toHaveLength(1)
    await waitUntil('another connection', () => run.output.includes('took over'), {
      withinMs: 60_000,
    })
    await run.advance(3_000)
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await run.records()
    for (const instrument of market.instruments) {
      const truth = truthOf(run.simulator, market.venue, instrument, until)
      expect(tradesOf(records, instrument).slice(0, truth.length)).toEqual(truth)
    }
    expect(records.filter(({ value }) => value.type === 'SequenceGap')).toEqual([])
    expect(duplicatesOf(records)).toEqual({ count: 0, conflicts: [] })
    expect(liesOf(records)).toEqual([])
  })
})

describe("OKX's aggregates", () => {
  it('leave nothing out, and what a cut made us miss is said to be lost', async () => {
    await using run = await IngestRun.open({
      venue: 'okx',
      instruments: ['BTC-USDT'],
      simulator: { speed: 3 },
      settings: (simulator) => ({
        INGEST_OKX_CHANNEL: 'trades',
        INGEST_WS_URL: simulator.wsUrl('okx').replace('/business', '/public'),
      }),
    })
    await run.advance(5_000)
    const cutAt = await run.venueTime()
    await run.covered(cutAt)
    await run.arm('drop')
    await run.advance(5_000)
    const closed = await gapsOnceClosed(run, 'okx:BTC-USDT')
    expect(await run.stop('SIGTERM')).toBe(0)

    const lost = closed.filter(({ toTime }) => toTime > cutAt)
    expect(lost.map(({ state }) => state)).toEqual(['unrecoverable'])
    const records = await run.records()
    const gathered = tradesOf(records, 'BTC-USDT').filter(({ eventTime }) => eventTime <= cutAt)
    const truth = truthOf(run.simulator, 'okx', 'BTC-USDT', cutAt)
    expect(gathered.length).toBeLessThan(truth.length)
    expect(gathered.every(({ tradeId }) => /^a\d+$/.test(tradeId))).toBe(true)
    expect(lotsOf(gathered)).toBe(lotsOf(truth))
  })
})

/** The quantity of all, in the smallest size that the simulated OKX trades. */
function lotsOf(trades: readonly PlainTrade[]): number {
  return trades.reduce((sum, { quantity }) => sum + Math.round(Number(quantity) * 1e8), 0)
}
