import { describe, expect, it, onTestFinished } from 'vitest'

import type { FeedCursor } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { CursorWriter } from './feed-cursors.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { OtherReplicas } from './other-replicas.ts'
import { readFeed } from './read-feed.ts'
import { sampleTrade, sampleTrades, unsequencedTrades } from './testing/sample-trade.ts'
import {
  described,
  gapsOf,
  heartbeat,
  heartbeatsOf,
  scriptedFeed,
} from './testing/scripted-feed.ts'
import type { ScriptedFeed, ScriptedFeedOptions } from './testing/scripted-feed.ts'
import type { ScriptedConnection } from './testing/scripted-venue.ts'
import type { RecentTrades } from './trade-history.ts'
import { UnsequencedDelivery } from './unsequenced-delivery.ts'

/** A feed that is read, with its first connection being opened. */
function begun(options?: ScriptedFeedOptions): ScriptedFeed {
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
  return feed
}

/** A feed that is read, with its first connection delivering. */
async function given(options?: ScriptedFeedOptions): Promise<ScriptedFeed> {
  const feed = begun(options)
  await heartbeat(feed.recording)
  return feed
}

/** What another replica vouches for. */
function vouched(upTo: number): FeedCursor {
  const names = { feedId: 'f', replicaId: 'b', instrument: 'X' }
  const place = { sequence: 10, eventTime: 10_000, tradeIds: [] }
  return { ...names, ...place, upTo, vouchesFrom: 5_000, openGaps: [] }
}

/** Announces the end of the first connection. @returns the one that has taken over. */
async function secondOf({ scripted }: ScriptedFeed): Promise<ScriptedConnection | undefined> {
  const [first] = scripted.connections
  first?.announceEnd('scripted end')
  await waitUntil('its end', () => scripted.connections.length === 2 && first?.isOpen === false)
  return scripted.connections[1]
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

  describe('of an instrument without sequences', () => {
    const names = { feedId: 'f', replicaId: 'a', instrument: 'Y', instrumentId: 'sample:Y' }
    const cursor = { ...names, sequence: null, eventTime: 9_000, tradeIds: ['9'] }

    /** Y is read, of which the venue tells the last trades. */
    function beginWith(recent: RecentTrades): {
      readonly feed: ScriptedFeed
      readonly delivery: UnsequencedDelivery
    } {
      const feed = begun({ recent })
      const delivery = new UnsequencedDelivery({ ...names, cursor, log: feed.recording.log })
      feed.deliveries.delete('X')
      feed.deliveries.set('Y', delivery)
      return { feed, delivery }
    }

    // The hand-over took back whatever cut there was, also one whose catch-up was still at work: its cursor
    // then went on, and the next process took for proven what nobody had asked the history for.
    it.each([
      ['leaves no cut', false, 20_000],
      ['leaves a cut before it to be judged', true, 9_000],
    ])('%s', async (_name, isCut, eventTime) => {
      const told = Promise.resolve(unsequencedTrades(9, 9, 'Y'))
      const { feed, delivery } = beginWith({ recent: () => told })
      await heartbeat(feed.recording)
      if (isCut) delivery.cut()
      const second = await secondOf(feed)
      second?.frame(...unsequencedTrades(20, 20, 'Y'))
      expect(delivery.cursor).toMatchObject({ eventTime })
    })

    // The hand-over took its cut back as if the one before had delivered it: trades that came since passed for proof
    // that nothing was missing before them, and its gap was closed as backfilled.
    it('proves nothing of what it was refused', async () => {
      let told = Promise.resolve(unsequencedTrades(9, 9, 'Y'))
      const { feed } = beginWith({ recent: () => told })
      const { recording, scripted } = feed
      scripted.refused = ['Y']
      // Of the gap of what it was refused.
      const states = (): readonly string[] =>
        gapsOf(recording).flatMap(({ gapId, state }) => (gapId.includes('sample:Y') ? state : []))
      await waitUntil('the refusal', () => states().at(-1) === 'open')
      await heartbeat(recording)
      const answer = Promise.withResolvers<readonly MappedTrade[]>()
      told = answer.promise
      scripted.refused = []
      const second = await secondOf(feed)
      second?.frame(...unsequencedTrades(20, 20, 'Y'))
      answer.resolve(unsequencedTrades(19, 20, 'Y'))
      await waitUntil('the end of its gap', () => states().at(-1) !== 'open')
      expect(states().at(-1)).toBe('unrecoverable')
    })
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

// Nothing holds the recovery back between the subscription and the word on what was missed, as the one before still
// delivered when it was asked for: what shows meanwhile is announced by itself, before what follows it.
it('a hand-over that fails tells of the holes that it meets until it has told of the absence', async () => {
  const replicas = new OtherReplicas(60_000)
  replicas.heard(vouched(10_900), performance.now())
  const { history, recording, scripted } = await given({ replicas })
  const [first] = scripted.connections
  scripted.times = [15_000]
  scripted.beforeAnswer = () => {
    first?.cut('earlier than announced')
    history.options.last = 13
    scripted.frame(sampleTrade(14))
  }
  first?.announceEnd('scripted end')
  await waitUntil('what was missed', () => recording.sequences.includes(14))
  const told = recording.events.flatMap(({ type, value }) =>
    type === 'SequenceGap' ? [described(value)] : type === 'Trade' ? [String(value.sequence)] : [],
  )
  expect(told).toEqual([
    'sample:X #11-13 open',
    '11',
    '12',
    '13',
    '14',
    'sample:X #11-13 backfilled',
  ])
  expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(10_700)
  replicas.heard(vouched(15_000), performance.now())
  await waitUntil('heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 14_800)
  expect(gapsOf(recording)).toHaveLength(2)
})

// What a connection was away for is told by itself, and that may wait for another replica: the one that took
// over in that time told nothing of it, fetched nothing, and its heartbeats passed it at once.
describe('a connection whose end is announced before it has told of the absence before it', () => {
  async function announcedTooSoon(): Promise<{
    readonly feed: ScriptedFeed
    readonly replicas: OtherReplicas
    readonly first: ScriptedConnection | undefined
  }> {
    const replicas = new OtherReplicas(60_000)
    replicas.heard(vouched(9_000), performance.now())
    const feed = begun({ replicas, history: { last: 12 } })
    await waitUntil('the time behind the subscription', () => feed.scripted.asked === 2)
    const [first] = feed.scripted.connections
    first?.announceEnd('scripted end')
    await new Promise((resolve) => setImmediate(resolve))
    expect(feed.scripted.connections.length).toBe(1)
    expect(heartbeatsOf(feed.recording)).toEqual([])
    return { feed, replicas, first }
  }

  it('tells of it first, and hands over then', async () => {
    const { feed, replicas, first } = await announcedTooSoon()
    replicas.heard(vouched(10_900), performance.now())
    await waitUntil('its end', () => first?.isOpen === false)
    await waitUntil('what was missed', () => feed.recording.sequences.includes(12))
    await heartbeat(feed.recording)
    expect(feed.scripted.connections.length).toBe(2)
    expect(gapsOf(feed.recording)).toEqual([])
    // The second one is at work on what changes.
    await feed.state.live.settled(feed.signal)
  })

  it('leaves it to the next one if it ends before that', async () => {
    const { feed, replicas, first } = await announcedTooSoon()
    first?.cut('earlier than announced')
    await waitUntil('the next one', () => feed.scripted.connections.length === 2)
    replicas.heard(vouched(10_900), performance.now())
    await heartbeat(feed.recording)
    expect(feed.recording.sequences).toEqual([11, 12])
    expect(gapsOf(feed.recording)).toEqual([])
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
