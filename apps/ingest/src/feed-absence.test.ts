import { describe, expect, it } from 'vitest'

import type { FeedCursor, OpenGap } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { InstrumentDelivery } from './instrument-delivery.ts'
import { OtherReplicas } from './other-replicas.ts'
import { RestError } from './rest-client.ts'
import { sampleTrade, sampleTrades } from './testing/sample-trade.ts'
import {
  described,
  gapsOf,
  heartbeat,
  heartbeatsOf,
  scriptedFeed,
} from './testing/scripted-feed.ts'
import type { ScriptedFeed, ScriptedFeedOptions } from './testing/scripted-feed.ts'

const away = new RestError('unavailable', 'scripted')

/** Adds another instrument, whose history is X's. */
function addInstrument({ deliveries, recording }: ScriptedFeed, instrument: string): void {
  const names = { feedId: 'f', replicaId: 'a', instrument, instrumentId: `sample:${instrument}` }
  const cursor = { feedId: 'f', replicaId: 'a', instrument, sequence: 10, eventTime: 10_000 }
  const delivery = new InstrumentDelivery({
    ...names,
    log: recording.log,
    cursor: { ...cursor, tradeIds: [] },
  })
  deliveries.set(instrument, delivery)
}

/** What the log says of gaps and trades, in order; a record for every partition once. */
function told({ recording }: ScriptedFeed): readonly string[] {
  const lines = recording.events.flatMap((event) => {
    if (event.type === 'SequenceGap') return [described(event.value)]
    if (event.type === 'Trade') return [`trade ${event.value.sequence}`]
    return event.type === 'FeedHeartbeat' ? [`upTo ${event.value.upTo}`] : []
  })
  return lines.filter((line, at) => line !== lines[at - 1])
}

describe('an absence', () => {
  it("of a process is a gap from its predecessor's last heartbeat on, told before the first one", async () => {
    const feed = scriptedFeed({ history: { last: 12 } })
    feed.scripted.times = [13_000]
    void feed.connect()
    await heartbeat(feed.recording)
    expect(told(feed).slice(0, 6)).toEqual([
      'feed 9900-13000 open',
      // The predecessor may have declared a gap from there, and closed it for the instrument.
      'sample:X 9900-13000 open',
      'trade 11',
      'trade 12',
      'sample:X 9900-13000 backfilled',
      'feed 9900-13000 backfilled',
    ])
    expect(new Set(gapsOf(feed.recording).map(({ gapId }) => gapId))).toEqual(new Set(['f|a|9900']))
    const places = feed.recording.records.filter(({ value }) =>
      String(value).includes('"instrumentId":null'),
    )
    expect(places.map(({ partition }) => partition)).toEqual([0, 1, 0, 1])
  })

  it('of a connection closes instrument by instrument, as each is known to be whole', async () => {
    let isOpen = true
    const feed = scriptedFeed({
      history: {
        before: (_from, _to, instrument) => {
          if (instrument === 'Y' && !isOpen) throw away
        },
      },
    })
    addInstrument(feed, 'Y')
    feed.scripted.times = [11_000]
    const ended = feed.connect()
    await heartbeat(feed.recording)
    const before = told(feed).length
    isOpen = false
    feed.scripted.cut('scripted cut')
    await ended
    feed.scripted.times = [20_000]
    feed.history.options.last = 15
    void feed.connect()
    await waitUntil('X', () => told(feed).includes('sample:X 10800-20000 backfilled'))
    expect(told(feed).slice(before)).toEqual([
      'feed 10800-20000 open',
      ...sampleTrades(11, 15).map(({ sequence }) => `trade ${sequence}`),
      'sample:X 10800-20000 backfilled',
    ])
    isOpen = true
    await waitUntil('the feed', () => told(feed).includes('feed 10800-20000 backfilled'))
    expect(told(feed)).toContain('sample:Y 10800-20000 backfilled')
  })

  // A process that is killed between a gap and the cursor that knows where it begins leaves the gap open
  // for good: the next one declares another.
  it('is told only once the next process would begin it at the same time', async () => {
    const feed = scriptedFeed()
    feed.scripted.times = [11_000]
    const ended = feed.connect()
    await heartbeat(feed.recording)
    const gaps = gapsOf(feed.recording).length
    feed.recording.holdBack()
    feed.recording.log.status({
      instrumentId: 'sample:Y',
      feedId: 'f',
      status: 'listed',
      eventTime: 0,
      receivedAt: 0,
      base: null,
      quote: null,
      kind: null,
      quantityUnit: null,
    })
    feed.scripted.cut('scripted cut')
    await ended
    const asked = feed.scripted.asked
    void feed.connect()
    await waitUntil('the time behind the subscription', () => feed.scripted.asked === asked + 2)
    await new Promise((resolve) => setImmediate(resolve))
    expect(gapsOf(feed.recording).length).toBe(gaps)
    feed.recording.acknowledgeAll()
    await waitUntil('the gap', () => gapsOf(feed.recording).length > gaps)
  })

  it('before the one before it is over goes on from that, also for what was closed', async () => {
    let isOpen = true
    const feed = scriptedFeed({
      history: {
        before: (_from, _to, instrument) => {
          if (instrument === 'Y' && !isOpen) throw away
        },
      },
    })
    addInstrument(feed, 'Y')
    feed.scripted.times = [11_000]
    const first = feed.connect()
    await heartbeat(feed.recording)
    isOpen = false
    feed.scripted.cut('scripted cut')
    await first
    feed.scripted.times = [20_000]
    const second = feed.connect()
    await waitUntil('X', () => told(feed).includes('sample:X 10800-20000 backfilled'))
    feed.scripted.cut('scripted cut')
    await second
    expect(feed.state.heartbeats.vouchedUpTo).toBe(10_800)
    feed.scripted.times = [30_000]
    void feed.connect()
    await waitUntil('the second gap', () => told(feed).includes('feed 10800-30000 open'))
    expect(told(feed)).toContain('sample:X 10800-30000 open')
    isOpen = true
    await waitUntil('the feed', () => told(feed).includes('feed 10800-30000 backfilled'))
    expect(told(feed)).toContain('sample:X 10800-30000 backfilled')
    expect(told(feed)).toContain('sample:Y 10800-30000 backfilled')
    await waitUntil('vouching', () => feed.state.heartbeats.vouchedUpTo === 29_800)
  })

  // The history that does not come of one instrument would hold back the candles of all others.
  it('of which one instrument tells nothing holds heartbeats only for a while', async () => {
    let isOpen = false
    const feed = scriptedFeed({
      settings: { INGEST_HOLE_WAIT_MS: '1200' },
      history: {
        before: () => {
          if (!isOpen) throw away
        },
      },
    })
    feed.scripted.times = [20_000]
    void feed.connect()
    await waitUntil('a subscription', () => feed.scripted.subscriptions === 1)
    feed.history.options.last = 19
    feed.scripted.frame(sampleTrade(20))
    await waitUntil('heartbeats', () => heartbeatsOf(feed.recording).at(-1)?.upTo === 19_800)
    // What waited goes on ahead of what is missing, which is announced first.
    expect(told(feed)).toEqual([
      'feed 9900-20000 open',
      'sample:X 9900-20000 open',
      'upTo 9999',
      'sample:X #11-19 open',
      'trade 20',
      'upTo 19800',
    ])
    expect(feed.state.readiness.reasons).toEqual([])
    expect(feed.state.readiness.degraded.map(({ reason }) => reason)).toEqual([
      "the venue's history does not give what is missing of X: their candles have quality gap",
    ])
    expect(feed.delivery.cursor?.sequence).toBe(10)
    isOpen = true
    await waitUntil('the end', () => told(feed).includes('feed 9900-20000 backfilled'))
    expect(told(feed)).toContain('sample:X #11-19 backfilled')
    expect(feed.delivery.cursor?.sequence).toBe(20)
    await waitUntil('readiness', () => feed.state.readiness.degraded.length === 0)
  })

  // Its trades have no place before that: they would wait without a bound, and all candles for them.
  it('of an instrument that had no trade yet ends without its history as well', async () => {
    let isOpen = false
    const feed = scriptedFeed({
      holeBuffer: 3,
      cursor: { sequence: null, eventTime: 0 },
      history: {
        last: 2,
        before: () => {
          if (!isOpen) throw away
        },
      },
    })
    feed.scripted.times = [20_000]
    void feed.connect()
    await waitUntil('a subscription', () => feed.scripted.subscriptions === 1)
    feed.scripted.frame(...sampleTrades(3, 4))
    expect(feed.recording.sequences).toEqual([])
    feed.scripted.frame(sampleTrade(5))
    expect(feed.recording.sequences).toEqual([3, 4, 5])
    isOpen = true
    await waitUntil('the end', () => told(feed).includes('feed 9900-20000 backfilled'))
    expect(feed.recording.sequences).toEqual([3, 4, 5, 1, 2])
    expect(told(feed)).toContain('sample:X #1-2 backfilled')
  })

  it('that the venue refuses to tell of is proven by the next trade in sequence', async () => {
    const feed = scriptedFeed({
      history: {
        before: () => {
          throw new RestError('refused', 'scripted')
        },
      },
    })
    feed.scripted.times = [20_000]
    void feed.connect()
    await heartbeat(feed.recording)
    expect(told(feed)).not.toContain('sample:X 9900-20000 backfilled')
    feed.scripted.frame(sampleTrade(11))
    expect(told(feed)).toContain('sample:X 9900-20000 backfilled')
    // Here the sequence itself says that something is missing.
    feed.scripted.frame(sampleTrade(13))
    await waitUntil('the verdict', () => told(feed).includes('sample:X #12-12 unrecoverable'))
    expect(feed.recording.sequences).toEqual([11, 13])
  })

  it('is none while Kafka takes nothing: what the venue then cuts off is fetched', async () => {
    const feed = scriptedFeed({ maxInFlight: 10 })
    feed.scripted.times = [10_900]
    const ended = feed.connect()
    await heartbeat(feed.recording)
    feed.recording.holdBack()
    feed.scripted.frame(...sampleTrades(11, 25))
    expect(feed.scripted.paused).toBe(true)
    // A venue does not wait for a reader: it cuts the connection, and goes on trading.
    feed.history.options.last = 40
    feed.scripted.cut('too slow')
    await ended
    void feed.connect()
    feed.scripted.times = [41_000]
    // Neither the history is read nor anything said before there is room.
    expect(feed.recording.sequences.at(-1)).toBe(25)
    feed.recording.acknowledgeAll()
    await waitUntil('the end', () => told(feed).includes('feed 10700-41000 backfilled'))
    expect(feed.recording.sequences).toEqual(sampleTrades(11, 40).map(({ sequence }) => sequence))
    expect(told(feed)).toContain('feed 10700-41000 open')
  })
})

describe('an instrument that the venue refuses', () => {
  it('has an open gap until the venue delivers it again and its history is read', async () => {
    const feed = scriptedFeed()
    feed.scripted.times = [11_000]
    const first = feed.connect()
    await heartbeat(feed.recording)
    feed.scripted.refused = ['X']
    feed.scripted.cut('scripted cut')
    await first
    feed.scripted.times = [20_000]
    const second = feed.connect()
    const dark = 'sample:X 20000-86420000 open'
    await waitUntil('the gap', () => told(feed).includes(dark))
    // Heartbeats of the others go on.
    await waitUntil('heartbeats', () => heartbeatsOf(feed.recording).at(-1)?.upTo === 19_800)
    feed.scripted.refused = []
    feed.scripted.cut('scripted cut')
    await second
    feed.history.options.last = 25
    feed.scripted.times = [30_000]
    void feed.connect()
    await waitUntil('the end', () => told(feed).includes('sample:X 20000-30000 backfilled'))
    expect(feed.recording.sequences.at(-1)).toBe(25)
    expect(feed.state.readiness.degraded).toEqual([])
  })
})

describe('a hole', () => {
  it('that the stream fills at once was out of order: nothing is said, and nobody asked', async () => {
    const feed = scriptedFeed()
    void feed.connect()
    await heartbeat(feed.recording)
    const asked = feed.history.asked.length
    const before = gapsOf(feed.recording).length
    feed.scripted.frame(sampleTrade(12))
    feed.scripted.frame(sampleTrade(11))
    await heartbeat(feed.recording)
    expect(feed.recording.sequences).toEqual([11, 12])
    expect(feed.history.asked.length).toBe(asked)
    expect(gapsOf(feed.recording).length).toBe(before)
  })

  it('is open before anything from behind it, and backfilled once it is filled', async () => {
    const feed = scriptedFeed()
    void feed.connect()
    await heartbeat(feed.recording)
    const before = told(feed).length
    feed.history.options.last = 13
    feed.scripted.frame(sampleTrade(14))
    await waitUntil('the end', () => told(feed).includes('sample:X #11-13 backfilled'))
    const said = told(feed)
      .slice(before)
      .filter((line) => !line.startsWith('upTo'))
    expect(said).toEqual([
      'sample:X #11-13 open',
      'trade 11',
      'trade 12',
      'trade 13',
      'trade 14',
      'sample:X #11-13 backfilled',
    ])
    expect(gapsOf(feed.recording).at(-1)).toMatchObject({ fromTime: 10_000, toTime: 14_001 })
  })
})

describe('an absence that another replica covers', () => {
  /** Cursors of a replica that was connected all the while. */
  function vouchedUpTo(upTo: number): FeedCursor {
    const names = { feedId: 'f', replicaId: 'b', instrument: 'X' }
    const place = { sequence: 10, eventTime: 10_000, tradeIds: [] }
    return { ...names, ...place, upTo, vouchesFrom: 5_000, openGaps: [] }
  }

  function covering(options: Partial<ScriptedFeedOptions> = {}): {
    readonly feed: ScriptedFeed
    readonly replicas: OtherReplicas
  } {
    const replicas = new OtherReplicas(60_000)
    replicas.heard(vouchedUpTo(9_000), performance.now())
    return { feed: scriptedFeed({ ...options, replicas }), replicas }
  }

  it('is no gap, and heartbeats begin once it is known', async () => {
    const { feed, replicas } = covering({ history: { last: 13 } })
    feed.scripted.times = [13_000]
    void feed.connect()
    await waitUntil('the time behind the subscription', () => feed.scripted.asked >= 2)
    await new Promise((resolve) => setImmediate(resolve))
    expect(told(feed)).toEqual([])
    // What its own connection shows to be missing is no news either.
    feed.scripted.frame(sampleTrade(14))
    replicas.heard(vouchedUpTo(13_000), performance.now())
    await heartbeat(feed.recording)
    const trades = sampleTrades(11, 14).map(({ sequence }) => `trade ${sequence}`)
    expect(told(feed)).toEqual([...trades, 'upTo 12800'])
  })

  it('is a gap of those instruments that the other one does not read', async () => {
    const { feed, replicas } = covering()
    addInstrument(feed, 'Y')
    feed.scripted.times = [13_000]
    void feed.connect()
    replicas.heard(vouchedUpTo(13_000), performance.now())
    await waitUntil('the end', () => told(feed).includes('sample:Y 9900-13000 backfilled'))
    expect(gapsOf(feed.recording).map(described)).toEqual([
      'sample:Y 9900-13000 open',
      'sample:Y 9900-13000 backfilled',
    ])
  })

  // It was told where the other one could not be heard; nobody but this process knows of it.
  it('closes what a process before this one left open', async () => {
    const openGaps = [{ gapId: 'f|a|9900', fromTime: 9_900, toTime: 12_000 }]
    const { feed, replicas } = covering({ cursor: { openGaps } })
    feed.state.gaps.restore(feed.delivery, openGaps, 9_900)
    feed.scripted.times = [13_000]
    void feed.connect()
    replicas.heard(vouchedUpTo(13_000), performance.now())
    await heartbeat(feed.recording)
    expect(gapsOf(feed.recording).map(described)).toEqual([
      'sample:X 9900-12000 backfilled',
      'feed 9900-12000 backfilled',
      'feed 9900-12000 backfilled',
    ])
  })
})

// An instrument without sequences is told of by times alone: what a killed process left open stayed so for a day.
describe('what a killed process left open', () => {
  it('of an instrument that the venue refused ends when it is delivered again', async () => {
    const feed = scriptedFeed()
    const gapId = 'f|a|sample:X|t9000'
    feed.state.gaps.restore(feed.delivery, [{ gapId, fromTime: 9_000, toTime: null }], 9_900)
    expect(feed.state.gaps.openOf(feed.delivery)).toEqual([
      { gapId, fromTime: 9_000, toTime: null },
    ])
    feed.scripted.times = [13_000]
    void feed.connect()
    await heartbeat(feed.recording)
    await waitUntil('the end', () => told(feed).includes('sample:X 9000-13000 backfilled'))
    expect(told(feed)).toContain('sample:X 9000-13000 open')
    expect(feed.state.gaps.openOf(feed.delivery)).toEqual([])
  })

  it('of an instrument whose history did not answer closes when it does', async () => {
    const feed = scriptedFeed()
    const gapId = 'f|a|sample:X|t9500'
    feed.state.gaps.restore(feed.delivery, [{ gapId, fromTime: 9_500, toTime: 9_800 }], 9_900)
    feed.scripted.times = [13_000]
    void feed.connect()
    await waitUntil('the end', () => told(feed).includes('sample:X 9500-9800 backfilled'))
    expect(feed.state.gaps.concerns(feed.delivery)).toBe(false)
  })

  it('is in the cursors before it is told', async () => {
    const feed = scriptedFeed()
    feed.scripted.times = [11_000]
    const first = feed.connect()
    await heartbeat(feed.recording)
    feed.scripted.refused = ['X']
    feed.scripted.cut('scripted cut')
    await first
    const remembered: (readonly OpenGap[])[] = []
    feed.onRemember(() => {
      const lines = gapsOf(feed.recording).map(({ gapId }) => gapId)
      const planned = feed.state.gaps.openOf(feed.delivery)
      remembered.push(planned.filter(({ gapId }) => !lines.includes(gapId)))
    })
    feed.scripted.times = [20_000]
    void feed.connect()
    await waitUntil('the gap', () => told(feed).includes('sample:X 20000-86420000 open'))
    expect(remembered).toEqual([
      [{ gapId: 'f|a|10800', fromTime: 10_800, toTime: 20_000 }],
      [{ gapId: 'f|a|sample:X|t20000', fromTime: 20_000, toTime: null }],
    ])
  })
})
