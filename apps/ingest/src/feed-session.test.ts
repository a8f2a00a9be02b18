import { describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { InstrumentDelivery } from './instrument-delivery.ts'
import type { RejectedTrade } from './mapped-trade.ts'
import { RestError } from './rest-client.ts'
import { sampleTrade, sampleTrades } from './testing/sample-trade.ts'
import { heartbeat, heartbeatsOf, scriptedFeed } from './testing/scripted-feed.ts'
import type { ScriptedFeed, ScriptedFeedOptions } from './testing/scripted-feed.ts'
import type { ScriptedVenue } from './testing/scripted-venue.ts'

/** A feed whose first connection is being opened. */
function given(options?: ScriptedFeedOptions): ScriptedFeed & { readonly ended: Promise<string> } {
  const feed = scriptedFeed(options)
  return { ...feed, ended: feed.connect() }
}

function unplaceable(known: Pick<RejectedTrade, 'instrument' | 'sequence'>): RejectedTrade {
  return { kind: 'rejected', reason: 'invalid', message: 'scripted', original: '{}', ...known }
}

describe('a connection', () => {
  it('lists the instrument, catches up, and only then tells how far it is, to every partition', async () => {
    const { recording, scripted, state } = given({ history: { last: 12 } })
    scripted.times = [13_000]
    await heartbeat(recording)
    const kinds = recording.events.map(({ type }) => type)
    expect(kinds.filter((kind) => kind !== 'SequenceGap').slice(0, 5)).toEqual([
      'InstrumentStatus',
      'Trade',
      'Trade',
      'FeedHeartbeat',
      'FeedHeartbeat',
    ])
    expect(heartbeatsOf(recording).slice(0, 2)).toMatchObject([
      { feedId: 'f', replicaId: 'a', upTo: 12_800 },
      { feedId: 'f', replicaId: 'a', upTo: 12_800 },
    ])
    const beats = recording.records.filter(({ value }) => String(value).includes('FeedHeartbeat'))
    expect(beats.slice(0, 2).map(({ partition }) => partition)).toEqual([0, 1])
    expect(state.failures).toBe(0)
  })

  // A long catch-up without heartbeats makes the aggregator hold every window of it open at once, and
  // no candle appears before its end.
  it('tells in a catch-up how far it has come, while live trades go on behind an announced hole', async () => {
    let has = 12
    const { recording, history, scripted, state } = given({
      holeBuffer: 2,
      history: {
        last: 30,
        pageSize: 1,
        before: (from) => {
          if (from > has) throw new RestError('unavailable', 'scripted')
        },
      },
    })
    scripted.times = [99_000]
    await waitUntil('the first trades', () => recording.sequences.includes(12))
    scripted.frame(...sampleTrades(31, 33))
    expect(scripted.paused).toBe(false)
    expect(recording.sequences).toEqual([11, 12, 31, 32, 33])
    await heartbeat(recording)
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(11_999)
    expect(state.readiness.reasons.map(({ subject }) => subject)).toEqual(['catch-up'])
    has = 29
    await waitUntil('more trades', () => recording.sequences.includes(29))
    await heartbeat(recording)
    await heartbeat(recording)
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(28_999)
    has = history.options.last
    await waitUntil('live heartbeats', () => heartbeatsOf(recording).at(-1)?.upTo === 98_800)
    expect(recording.sequences).toEqual([
      11,
      12,
      31,
      32,
      33,
      ...sampleTrades(13, 30).map(({ sequence }) => sequence),
    ])
    expect(state.readiness.reasons).toEqual([])
  })

  it('tells nothing in a catch-up of an instrument that has no position yet', async () => {
    let has = 0
    const { recording, history, scripted } = given({
      cursor: { sequence: null, eventTime: 0, upTo: null },
      history: {
        last: 2,
        before: () => {
          if (has === 0) throw new RestError('unavailable', 'scripted')
        },
      },
    })
    scripted.times = [13_000]
    const startedAt = performance.now()
    await waitUntil('more than a heartbeat', () => performance.now() - startedAt > 600)
    expect(history.asked.length).toBeGreaterThan(0)
    expect(heartbeatsOf(recording)).toEqual([])
    has = 2
    await heartbeat(recording)
    expect(heartbeatsOf(recording)[0]?.upTo).toBe(12_800)
    expect(recording.sequences).toEqual([1, 2])
  })

  it('stays before a hole with its heartbeats until the hole is closed', async () => {
    let open = true
    const { recording, scripted } = given({
      history: {
        before: (from) => {
          if (from === 12 && open) throw new RestError('unavailable', 'scripted')
        },
      },
    })
    scripted.times = [10_900]
    await heartbeat(recording)
    scripted.frame(sampleTrade(11), sampleTrade(13))
    scripted.times = [60_000]
    await heartbeat(recording)
    // Second 11 has its trade, and may have more: the hole begins there.
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(10_999)
    expect(recording.sequences).toEqual([11])
    open = false
    scripted.frame(sampleTrade(12))
    await heartbeat(recording)
    await heartbeat(recording)
    expect(recording.sequences).toEqual([11, 12, 13])
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(59_800)
  })

  it('never takes a heartbeat back', async () => {
    const { recording, scripted } = given()
    scripted.times = [30_000]
    await heartbeat(recording)
    scripted.times = [20_000]
    await heartbeat(recording)
    expect(new Set(heartbeatsOf(recording).map(({ upTo }) => upTo))).toEqual(new Set([29_800]))
  })

  it('sends no heartbeat from the future', async () => {
    const { recording, scripted } = given()
    scripted.times = [Date.now() + 3_600_000]
    await waitUntil('a rejection', () =>
      recording.records.some(({ topic }) => topic === 'rejected'),
    )
    expect(heartbeatsOf(recording)).toEqual([])
  })

  it('stops reading while Kafka takes nothing, and goes on when it does', async () => {
    const { recording, scripted, state } = given({ maxInFlight: 10 })
    await heartbeat(recording)
    recording.holdBack()
    scripted.frame(...sampleTrades(11, 15))
    expect(scripted.paused).toBe(false)
    scripted.frame(...sampleTrades(16, 30))
    expect(scripted.paused).toBe(true)
    expect(state.readiness.reasons.map(({ subject }) => subject)).toEqual(['kafka'])
    recording.acknowledgeAll()
    await waitUntil('reading', () => !scripted.paused)
    expect(state.readiness.reasons).toEqual([])
    // Nothing that was read before it stopped is lost.
    expect(recording.sequences).toEqual(sampleTrades(11, 30).map(({ sequence }) => sequence))
  })

  it('writes a frame that it cannot read to rejected, as it came', async () => {
    const { recording, scripted } = given()
    await heartbeat(recording)
    scripted.malformed('{"half')
    const rejected = recording.records.filter(({ topic }) => topic === 'rejected')
    expect(rejected.map(({ key, value }) => [key, String(value)])).toEqual([[null, '{"half']])
  })

  // In a quiet market nothing shows the hole that such a frame leaves: a heartbeat that passes it makes
  // its trades late, whenever they are found.
  it.each([
    ['a frame that it cannot read', (venue: ScriptedVenue) => venue.malformed('{"half')],
    [
      'a row without a sequence',
      (venue: ScriptedVenue) => venue.frame(unplaceable({ instrument: 'X', sequence: undefined })),
    ],
    [
      'a row without an instrument',
      (venue: ScriptedVenue) => venue.frame(unplaceable({ instrument: undefined, sequence: 11 })),
    ],
  ])('asks the history what was in %s before it goes on', async (_name, lose) => {
    let open = false
    const { recording, history, scripted } = given({
      history: {
        before: () => {
          if (history.options.last > 10 && !open) throw new RestError('unavailable', 'scripted')
        },
      },
    })
    scripted.times = [10_900]
    await heartbeat(recording)
    history.options.last = 11
    lose(scripted)
    scripted.times = [60_000]
    await heartbeat(recording)
    await heartbeat(recording)
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(10_700)
    open = true
    await waitUntil('a later time', () => (heartbeatsOf(recording).at(-1)?.upTo ?? 0) > 10_700)
    expect(recording.sequences).toEqual([11])
  })

  it('asks the history again for what a frame lost while it was asked', async () => {
    let lose = (): void => undefined
    const { recording, history, scripted } = given({ history: { before: () => lose() } })
    await heartbeat(recording)
    lose = () => {
      lose = () => undefined
      scripted.malformed('{"second')
    }
    const before = history.asked.length
    scripted.malformed('{"first')
    await waitUntil('two questions', () => history.asked.length === before + 2)
    expect(history.asked.at(-1)).toEqual({ from: 11, to: undefined })
  })

  it('names what the venue refuses, and goes on with the rest', async () => {
    const { recording, scripted, state } = given()
    scripted.refused = ['X']
    await heartbeat(recording)
    expect(state.readiness.reasons).toEqual([])
    expect(state.readiness.degraded).toEqual([
      { subject: 'instruments', reason: 'sample does not deliver X; all others go on' },
    ])
    expect(recording.events.some(({ type }) => type === 'InstrumentStatus')).toBe(false)
  })

  it('ends with the reason of the cut, also in the middle of a catch-up', async () => {
    const { history, scripted, ended } = given({
      history: {
        before: () => {
          throw new RestError('unavailable', 'scripted')
        },
      },
    })
    await waitUntil('some tries', () => history.asked.length > 2)
    scripted.cut('scripted cut')
    expect(await ended).toBe('scripted cut')
  })

  it('takes an instrument in while it goes on, and tells no time that it may miss something of', async () => {
    let open = false
    const { recording, history, scripted, state, deliveries } = given({
      history: {
        before: () => {
          if (!open && scripted.asked > 2) throw new RestError('unavailable', 'scripted')
        },
      },
    })
    scripted.times = [10_900]
    await heartbeat(recording)
    await waitUntil('answers', () => scripted.asked > 2)
    history.options.last = 12
    const added = new InstrumentDelivery({
      feedId: 'f',
      replicaId: 'a',
      instrument: 'Y',
      instrumentId: 'sample:Y',
      log: recording.log,
      cursor: undefined,
    })
    added.beginBehind(undefined)
    deliveries.set('Y', added)
    const before = heartbeatsOf(recording).at(-1)?.upTo ?? 0
    scripted.times = [60_000]
    state.live.add([added])
    await waitUntil('more answers', () => scripted.asked > 5)
    expect(heartbeatsOf(recording).at(-1)?.upTo).toBe(before)
    expect(scripted.subscriptions).toBe(2)
    open = true
    await waitUntil('a later time', () => (heartbeatsOf(recording).at(-1)?.upTo ?? 0) > before)
    const listed = recording.events.filter(({ type }) => type === 'InstrumentStatus')
    expect(listed.map(({ value }) => value)).toMatchObject([
      { instrumentId: 'sample:X', status: 'listed' },
      { instrumentId: 'sample:Y', status: 'listed' },
    ])
  })

  it('is settled once the venue has answered behind all that it had sent', async () => {
    const { recording, scripted, state } = given()
    await heartbeat(recording)
    const asked = scripted.asked
    await state.live.settled(new AbortController().signal)
    expect(scripted.asked).toBeGreaterThan(asked)
  })

  it('is not settled by a connection that ends: the next one is waited for', async () => {
    const { recording, scripted, state, connect, ended } = given()
    await heartbeat(recording)
    let settled = false
    scripted.cut('scripted cut')
    const settling = state.live.settled(new AbortController().signal).then(() => (settled = true))
    await ended
    expect(settled).toBe(false)
    void connect()
    await settling
    expect(settled).toBe(true)
  })
})
