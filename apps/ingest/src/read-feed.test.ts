import { describe, expect, it, onTestFinished } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { CursorWriter } from './feed-cursors.ts'
import { readFeed } from './read-feed.ts'
import { sampleTrade, sampleTrades } from './testing/sample-trade.ts'
import { gapsOf, heartbeat, heartbeatsOf, scriptedFeed } from './testing/scripted-feed.ts'
import type { ScriptedFeed, ScriptedFeedOptions } from './testing/scripted-feed.ts'

/** A feed that is read, with its first connection delivering. */
async function given(options?: ScriptedFeedOptions): Promise<ScriptedFeed> {
  const feed = scriptedFeed(options)
  const owner = { feedId: 'f', replicaId: 'a' }
  const cursors = new CursorWriter(owner, feed.recording.log, {
    vouchedUpTo: undefined,
    vouchesFrom: () => undefined,
    openGaps: () => [],
  })
  feed.scripted.times = [10_900]
  const reading = readFeed(feed.state, feed.history, cursors, feed.signal)
  onTestFinished(async () => {
    feed.stop()
    await reading.catch(() => undefined)
  })
  await heartbeat(feed.recording)
  return feed
}

describe('a connection whose end is announced', () => {
  it('delivers until another one does, and nothing is missing, fetched twice or called a gap', async () => {
    const feed = await given()
    const { history, recording, scripted } = feed
    const gaps = gapsOf(recording).length
    const asked = history.asked.length
    const [first] = scripted.connections
    scripted.beforeAnswer = () => first?.frame(...sampleTrades(11, 12))
    first?.announceEnd('scripted end')
    await waitUntil('the other one', () => scripted.connections.length === 2)
    await waitUntil('its end', () => first?.isOpen === false)
    const [, second] = scripted.connections
    // What both of them sent is one.
    second?.frame(...sampleTrades(12, 14))
    scripted.times = [15_000]
    await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 14_800)
    expect(recording.sequences).toEqual([11, 12, 13, 14])
    expect(gapsOf(recording).length).toBe(gaps)
    expect(history.asked.length).toBe(asked)
    expect(feed.state.readiness.reasons).toEqual([])
  })

  it('goes on for as long as no other one can be had', async () => {
    const { recording, scripted } = await given()
    const [first] = scripted.connections
    let refusals = 0
    scripted.beforeAnswer = () => {
      if (refusals === 3) return
      refusals += 1
      scripted.cut('scripted refusal')
    }
    first?.announceEnd('scripted end')
    await waitUntil('refusals', () => refusals === 3)
    first?.frame(sampleTrade(11))
    await waitUntil('the end', () => first?.isOpen === false)
    expect(scripted.connections.length).toBe(5)
    expect(recording.sequences).toEqual([11])
    expect(gapsOf(recording).every(({ state }) => state !== 'unrecoverable')).toBe(true)
  })

  it('and that ends before another one delivers has left a gap', async () => {
    const { history, recording, scripted } = await given()
    const [first] = scripted.connections
    const gaps = gapsOf(recording).length
    scripted.beforeAnswer = () => {
      first?.cut('earlier than announced')
      history.options.last = 12
    }
    first?.announceEnd('scripted end')
    await waitUntil('what was missed', () => recording.sequences.includes(12))
    await waitUntil('the gap to close', () => gapsOf(recording).at(-1)?.state === 'backfilled')
    expect(gapsOf(recording)[gaps]).toMatchObject({ instrumentId: null, fromTime: 10_700 })
    expect(recording.sequences).toEqual([11, 12])
  })
})

it('another connection takes over before the age at which the venue cuts them', async () => {
  const { recording, scripted } = await given({ settings: { INGEST_MAX_CONNECTION_MS: '400' } })
  const gaps = gapsOf(recording).length
  await waitUntil('three more', () => scripted.connections.length > 3)
  expect(gapsOf(recording).length).toBe(gaps)
})

it('a connection that was cut is followed by another one, whose absence is fetched', async () => {
  const { history, recording, scripted } = await given()
  history.options.last = 12
  scripted.cut('scripted cut')
  await waitUntil('what was missed', () => recording.sequences.includes(12))
  expect(scripted.connections.length).toBe(2)
})
