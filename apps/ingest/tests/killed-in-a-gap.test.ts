import { describe, expect, it } from 'vitest'

import { instrumentIdOf } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'
import type { Venue } from '@tickertape/market-simulator'
import { waitUntil } from '@tickertape/testing'

import { gapsOf } from './gap-facts.ts'
import { IngestRun } from './ingest-run.ts'

const markets: readonly {
  readonly venue: Venue
  readonly refused: string
  readonly other: string
}[] = [
  { venue: 'deribit', refused: 'ETH-PERPETUAL', other: 'BTC-PERPETUAL' },
  // Its trades have no sequences: nothing but times tells of a gap.
  { venue: 'bybit-linear', refused: 'ETHUSDT', other: 'BTCUSDT' },
]

/** What the log says in the end of the gaps of the instrument that was refused. */
async function standing(
  run: IngestRun,
  { refused, venue }: (typeof markets)[number],
): Promise<readonly SequenceGap[]> {
  return gapsOf(await run.records(), instrumentIdOf({ venue, instrument: refused }))
}

const bounds = { withinMs: 90_000, everyMs: 200 }
const dayMs = 86_400_000

// Nobody but the process that had declared it knew of it: it stood open for a day after a kill.
describe.concurrent.each(markets)('a gap of an instrument that $venue refuses', (market) => {
  it('ends in the next process when this one is killed', async () => {
    const { other, refused, venue } = market
    await using run = await IngestRun.open({ venue, instruments: [other, refused] })
    await run.advance(3_000)
    await run.arm('refuse', { instrument: refused, on: true })
    await run.arm('drop')
    const dark = await waitUntil(
      'the gap',
      async () =>
        (await standing(run, market)).find(({ toTime, fromTime }) => toTime - fromTime >= dayMs),
      bounds,
    )
    expect(dark.state).toBe('open')
    await run.stop('SIGKILL')
    // The next one meets the same refusal: the gap goes on.
    run.start()
    await run.advance(10_000)
    const meanwhile = await standing(run, market)
    expect(meanwhile.find(({ gapId }) => gapId === dark.gapId)?.state).toBe('open')
    await run.stop('SIGKILL')
    await run.arm('refuse', { instrument: refused, on: false })
    run.start()
    await run.subscribed()
    const back = await run.venueTime()
    await waitUntil(
      'every gap to be closed',
      async () => (await standing(run, market)).every(({ state }) => state !== 'open'),
      bounds,
    )
    await run.covered(back)
    const closed = (await standing(run, market)).find(({ gapId }) => gapId === dark.gapId)
    expect(closed?.toTime).toBeLessThan(dark.fromTime + dayMs)
    expect(await run.stop('SIGTERM')).toBe(0)
    const cursors = await run.cursors()
    const last = cursors.findLast(({ value }) => value.instrument === refused)
    expect(last?.value.openGaps).toEqual([])
  })
})
