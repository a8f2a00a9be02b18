import { describe, expect, it } from 'vitest'

import type { SequenceGap } from '@tickertape/market-model'

import { noneOffered } from './delivery.ts'
import type { Place } from './delivery.ts'
import { ascendingPage } from './descending-pages.ts'
import { HoleFiller } from './hole-filler.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import type { MappedTrade } from './mapped-trade.ts'
import { RestError } from './rest-client.ts'
import { RecordingLog } from './testing/recording-log.ts'
import { sampleTrade, sampleTrades, unsequencedTrades } from './testing/sample-trade.ts'
import { ScriptedHistory } from './testing/scripted-history.ts'
import type { ScriptedHistoryOptions } from './testing/scripted-history.ts'
import type { TradeHistory, VenueHistory } from './trade-history.ts'
import { UnsequencedDelivery } from './unsequenced-delivery.ts'

const venueTime = 99_000

function cursorAt(sequence: number | null): Place {
  const eventTime = (sequence ?? 0) * 1000
  return {
    feedId: 'f',
    replicaId: 'a',
    instrument: 'X',
    sequence,
    eventTime,
    tradeIds: [],
  }
}

function fillerFrom(
  history: VenueHistory,
  { log }: RecordingLog,
  onGap: (gap: SequenceGap) => void = () => undefined,
): HoleFiller {
  return new HoleFiller({
    history,
    log,
    tries: 3,
    backoff: { firstMs: 1, maxMs: 1 },
    venueTime: () => venueTime,
    onPage: () => undefined,
    onFailure: () => undefined,
    onGap,
  })
}

function begin(cursor: Place | undefined, options: Partial<ScriptedHistoryOptions>) {
  const recording = new RecordingLog()
  const history = new ScriptedHistory(options)
  const gaps: SequenceGap[] = []
  const delivery = new InstrumentDelivery({
    feedId: 'f',
    replicaId: 'a',
    instrument: 'X',
    instrumentId: 'sample:X',
    log: recording.log,
    cursor,
  })
  const filler = fillerFrom(history, recording, (gap) => gaps.push(gap))
  const stream = (...sequences: readonly number[]): void => {
    const counts = { delivered: 0, duplicates: 0, rejected: 0 }
    for (const sequence of sequences) delivery.offer(sampleTrade(sequence), counts)
  }
  const signal = new AbortController().signal
  return { recording, history, gaps, delivery, filler, stream, signal }
}

/** Fails the first answers. */
function failing(times: number, code: RestError['code'] = 'unavailable'): () => void {
  let left = times
  return () => {
    left -= 1
    if (left >= 0) throw new RestError(code, 'scripted')
  }
}

describe('catching up', () => {
  it('fetches page by page what happened since the cursor, then goes on with the stream', async () => {
    const { recording, delivery, filler, stream, signal } = begin(cursorAt(10), { last: 19 })
    stream(20, 21)
    await filler.catchUp(delivery, signal)
    stream(22)
    expect(recording.sequences).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])
  })

  it('of a venue that has nothing new asks for trades once', async () => {
    const { history, delivery, filler, recording, signal } = begin(cursorAt(10), { last: 10 })
    await filler.catchUp(delivery, signal)
    expect(history.asked).toEqual([{ from: 11, to: undefined }])
    expect(recording.records).toEqual([])
  })

  it('of an instrument that had no trade yet brings its first one, though the stream was later', async () => {
    const { recording, delivery, filler, stream, signal } = begin(cursorAt(null), {
      first: 5,
      last: 6,
    })
    stream(7)
    expect(recording.sequences).toEqual([])
    await filler.catchUp(delivery, signal)
    expect(recording.sequences).toEqual([5, 6, 7])
  })

  it('of an instrument that still has no trade takes the next one, and asks again after a cut', async () => {
    const { recording, history, delivery, filler, stream, signal } = begin(cursorAt(null), {})
    await filler.catchUp(delivery, signal)
    expect(delivery.cursor?.sequence).toBeNull()
    history.options.first = 5
    history.options.last = 6
    const again = filler.catchUp(delivery, signal)
    stream(7)
    await again
    expect(recording.sequences).toEqual([5, 6, 7])
  })

  // Such a cursor makes every trade of the venue a duplicate: no hole shows, heartbeats go on, and quiet
  // candles come of a busy market.
  it.each([0, 39_999])('refuses a venue at %i, far behind a cursor at 50000', async (last) => {
    const { delivery, filler, signal } = begin(cursorAt(50_000), { last })
    await expect(filler.catchUp(delivery, signal)).rejects.toThrow(
      `X: the cursor of feed f, replica a, stands at sequence 50000, but the venue's newest trade is ${last}: `,
    )
  })

  it('goes on with a venue whose history lags behind its stream', async () => {
    const { recording, delivery, filler, stream, signal } = begin(cursorAt(50_000), {
      last: 40_000,
    })
    await filler.catchUp(delivery, signal)
    stream(50_001)
    expect(recording.sequences).toEqual([50_001])
  })

  it('outlasts answers that fail', async () => {
    const { recording, gaps, delivery, filler, signal } = begin(cursorAt(10), {
      last: 12,
      before: failing(2),
    })
    await filler.catchUp(delivery, signal)
    expect(recording.sequences).toEqual([11, 12])
    expect(gaps).toEqual([])
  })

  // A venue that is away for longer than some tries has lost nothing yet.
  it('waits for a venue that does not answer, however often', async () => {
    const { recording, gaps, delivery, filler, signal } = begin(cursorAt(10), {
      last: 13,
      before: failing(20),
    })
    expect(await filler.catchUp(delivery, signal)).toEqual({ outcome: 'whole' })
    expect(gaps).toEqual([])
    expect(recording.sequences).toEqual([11, 12, 13])
  })

  it('proves nothing where the venue refuses to tell', async () => {
    const { recording, delivery, filler, stream, signal } = begin(cursorAt(10), {
      before: failing(9, 'refused'),
    })
    expect(await filler.catchUp(delivery, signal)).toEqual({ outcome: 'unproven' })
    stream(11)
    expect(recording.sequences).toEqual([11])
  })

  it('ends when it is told to, however long the backoff', async () => {
    const stop = new AbortController()
    const { delivery, filler } = begin(cursorAt(10), {
      before: () => {
        stop.abort()
        throw new RestError('unavailable', 'scripted')
      },
    })
    await expect(filler.catchUp(delivery, stop.signal)).rejects.toThrow('aborted')
  })
})

describe('a hole', () => {
  it('is fetched, and what waited behind it follows in order', async () => {
    const { recording, history, delivery, filler, stream, signal } = begin(cursorAt(10), {
      last: 30,
    })
    stream(11, 16, 17)
    await filler.fill(delivery, signal)
    expect(history.asked).toEqual([
      { from: 12, to: 15 },
      { from: 15, to: 15 },
    ])
    expect(recording.sequences).toEqual([11, 12, 13, 14, 15, 16, 17])
  })

  it('that the venue no longer has is announced between the trades around it', async () => {
    const { recording, gaps, delivery, filler, stream, signal } = begin(cursorAt(10), {
      first: 14,
      last: 15,
    })
    stream(16)
    await filler.fill(delivery, signal)
    expect(recording.events.map(({ type }) => type)).toEqual([
      'SequenceGap',
      'Trade',
      'Trade',
      'Trade',
    ])
    expect(recording.sequences).toEqual([14, 15, 16])
    expect(gaps).toEqual([
      {
        gapId: 'f|a|sample:X|11',
        feedId: 'f',
        replicaId: 'a',
        instrumentId: 'sample:X',
        fromTime: 10_000,
        toTime: 14_001,
        fromSequence: 11,
        toSequence: 13,
        state: 'unrecoverable',
      },
    ])
  })

  it('is given up at once where the venue refuses the question', async () => {
    const { history, gaps, delivery, filler, stream, signal } = begin(cursorAt(10), {
      before: failing(9, 'refused'),
    })
    stream(12)
    await filler.fill(delivery, signal)
    expect(history.asked.length).toBe(1)
    expect(gaps.length).toBe(1)
    expect(delivery.position).toBe(12)
  })

  it('that the stream fills itself needs no further answer', async () => {
    const { recording, gaps, delivery, filler, stream, signal } = begin(cursorAt(10), {
      before: () => {
        stream(11)
        throw new RestError('unavailable', 'scripted')
      },
    })
    stream(12)
    await filler.fill(delivery, signal)
    expect(recording.sequences).toEqual([11, 12])
    expect(gaps).toEqual([])
  })

  it('that was set aside is filled behind what went on, and given up for what the venue has not', async () => {
    const { recording, gaps, delivery, filler, stream, signal } = begin(cursorAt(10), {
      first: 12,
      last: 13,
    })
    stream(14)
    delivery.setAside(venueTime, { delivered: 0, duplicates: 0, rejected: 0 })
    stream(15)
    expect(delivery.cursor).toMatchObject({ sequence: 10, eventTime: 10_000 })
    await filler.fill(delivery, signal)
    expect(recording.sequences).toEqual([14, 15, 12, 13])
    expect(gaps).toMatchObject([
      {
        fromSequence: 11,
        toSequence: 11,
        fromTime: 10_000,
        toTime: 14_001,
        state: 'unrecoverable',
      },
    ])
    expect(delivery.cursor).toMatchObject({ sequence: 15, eventTime: 15_000 })
    expect(delivery.isWhole).toBe(true)
  })

  it('keeps the cursor and the covered time before it', () => {
    const { delivery, stream } = begin(cursorAt(10), {})
    stream(11, 13)
    expect(delivery.cursor?.sequence).toBe(11)
    expect(delivery.deliveredUpTo).toBe(10_999)
  })
})

describe('a rejected trade', () => {
  // Nothing would ever tell where the instrument begins: its trades would wait for good.
  it("without a sequence, if it is the venue's last, leaves the beginning to the stream", () => {
    const { recording, delivery, stream } = begin(undefined, {})
    delivery.beginBehind({
      kind: 'rejected',
      reason: 'invalid',
      message: 'scripted',
      original: '{}',
      instrument: 'X',
      sequence: undefined,
    })
    stream(11, 12)
    expect(recording.sequences).toEqual([11, 12])
  })

  it('goes to rejected in its place, covers its sequence and makes no hole', () => {
    const { recording, delivery, stream } = begin(cursorAt(10), {})
    const counts = { delivered: 0, duplicates: 0, rejected: 0 }
    delivery.offer(
      {
        kind: 'rejected',
        reason: 'invalid',
        message: 'scripted',
        original: '{"row":11}',
        instrument: 'X',
        sequence: 11,
      },
      counts,
    )
    stream(12)
    expect(recording.records.map(({ topic }) => topic)).toEqual(['rejected', 'market-events'])
    expect(recording.records[0]).toMatchObject({
      key: 'sample:X',
      value: Buffer.from('{"row":11}'),
    })
    expect(delivery.hole).toBeUndefined()
    expect(counts.rejected).toBe(1)
  })
})

describe('a catch-up without sequences', () => {
  // An answer that was under way when the connection ended judged the cut that came meanwhile: what was lost between the
  // two was never told, for whatever the next connection brought passed for proof.
  it('asks again for what was cut while the venue answered, once it is subscribed again', async () => {
    const recording = new RecordingLog()
    const names = { feedId: 'f', replicaId: 'a', instrument: 'X', instrumentId: 'sample:X' }
    const cursor = { ...names, sequence: null, eventTime: 9_000, tradeIds: ['9'] }
    const delivery = new UnsequencedDelivery({ ...names, cursor, log: recording.log })
    const end = Promise.withResolvers<() => void>()
    const answers = [unsequencedTrades(8, 9), unsequencedTrades(15, 20)]
    const history = {
      recent: async () => {
        if (answers.length === 2) end.resolve(delivery.cut())
        return answers.shift() ?? []
      },
    }
    const filler = fillerFrom(history, recording)
    const caughtUp = filler.catchUp(delivery, new AbortController().signal)
    const subscribed = await end.promise
    for (const mapped of unsequencedTrades(20, 20)) delivery.offer(mapped, noneOffered())
    subscribed()
    expect(await caughtUp).toEqual({ outcome: 'lost', fromTime: 9_000, toTime: 15_001 })
  })
})

// A venue that tells of its present beside each page has always traded once more in a busy market: the catch-up ran
// after it without an end, and heartbeats waited.
it('a catch-up ends where the venue was when it was asked, though it trades on', async () => {
  const { delivery, recording, signal } = begin(cursorAt(10), {})
  let last = 20
  const history: TradeHistory = {
    firstSequence: 1,
    newest: () => {
      last += 1
      if (last > 1_000) throw new Error('no end')
      return Promise.resolve(sampleTrade(last))
    },
    page: (_instrument, from, to) => {
      const below = (end: number, limit: number): Promise<readonly MappedTrade[]> =>
        Promise.resolve(sampleTrades(Math.min(end, last + 1) - limit, Math.min(end - 1, last)))
      const newest = (): Promise<MappedTrade | undefined> => history.newest('X', signal)
      return ascendingPage({ pageSize: 1_000, below, newest }, from, to)
    },
  }
  const filler = fillerFrom(history, recording)
  expect(await filler.catchUp(delivery, signal)).toEqual({ outcome: 'whole' })
  expect(recording.sequences.at(-1)).toBeLessThan(25)
})
