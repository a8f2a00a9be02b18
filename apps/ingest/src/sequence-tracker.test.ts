import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { SequenceTracker } from './sequence-tracker.ts'

function offer(tracker: SequenceTracker<number>, sequence: number): readonly number[] {
  const offered = tracker.offer(sequence, sequence)
  return offered.outcome === 'accepted' ? offered.ready : []
}

/** A stream of 1..n that drops, repeats and reorders, as the list of what arrives. */
const arrivals = fc.integer({ min: 1, max: 60 }).chain((count) =>
  fc
    .array(fc.record({ sequence: fc.integer({ min: 1, max: count }), late: fc.nat(20) }), {
      maxLength: 2 * count,
    })
    .map((list) => ({
      count,
      sequences: list
        .map(({ sequence, late }, at) => ({ sequence, place: sequence + late + at / 1000 }))
        .toSorted((one, other) => one.place - other.place)
        .map(({ sequence }) => sequence),
    })),
)

describe('the sequence of an instrument', () => {
  it('comes out once each and in order, whatever the stream drops, repeats or reorders', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 7 }), ({ count, sequences }, pageSize) => {
        const tracker = new SequenceTracker<number>({ position: 0 })
        const ready: number[] = []
        const fetchHole = (): boolean => {
          const { hole } = tracker
          if (hole === undefined) return false
          const last = Math.min(hole.to, hole.from + pageSize - 1)
          for (let next = hole.from; next <= last; next += 1) ready.push(...offer(tracker, next))
          return true
        }
        for (const [at, sequence] of sequences.entries()) {
          ready.push(...offer(tracker, sequence))
          // The history answers now and then, while the stream goes on.
          if (at % 3 === 0) fetchHole()
        }
        ready.push(...offer(tracker, count))
        while (fetchHole());
        expect(ready).toEqual(Array.from({ length: count }, (_, index) => index + 1))
        expect(tracker.waitingCount).toBe(0)
      }),
    )
  })

  it('skips exactly what is given up', () => {
    fc.assert(
      fc.property(arrivals, ({ count, sequences }) => {
        const tracker = new SequenceTracker<number>({ position: 0 })
        const ready: number[] = []
        const missing: number[] = []
        for (const sequence of sequences) ready.push(...offer(tracker, sequence))
        for (let { hole } = tracker; hole !== undefined; hole = tracker.hole) {
          for (let next = hole.from; next <= hole.to; next += 1) missing.push(next)
          ready.push(...tracker.giveUp())
        }
        const arrived = new Set(sequences)
        expect(ready).toEqual([...arrived].toSorted((one, other) => one - other))
        expect(missing.some((sequence) => arrived.has(sequence))).toBe(false)
        expect(tracker.position ?? 0).toBeLessThanOrEqual(count)
      }),
    )
  })

  it('names the first hole and what waits behind it', () => {
    const tracker = new SequenceTracker<number>({ position: 10 })
    tracker.offer(15, 15)
    tracker.offer(13, 13)
    expect(tracker.hole).toEqual({ from: 11, to: 12 })
    expect(tracker.lowestWaiting).toBe(13)
    expect(tracker.giveUp()).toEqual([13])
    expect(tracker.hole).toEqual({ from: 14, to: 14 })
  })

  it('knows a duplicate behind its position and one that waits', () => {
    const tracker = new SequenceTracker<number>({ position: 10 })
    tracker.offer(12, 12)
    expect(tracker.offer(10, 10).outcome).toBe('duplicate')
    expect(tracker.offer(12, 12).outcome).toBe('duplicate')
  })

  it('lets everything wait until it knows where it begins', () => {
    const tracker = new SequenceTracker<number>()
    expect(tracker.offer(8, 8).outcome).toBe('waiting')
    expect(tracker.offer(7, 7).outcome).toBe('waiting')
    expect(tracker.hole).toBeUndefined()
    expect(tracker.beginWithWaiting()).toEqual([7, 8])
    expect(tracker.position).toBe(8)
  })

  it('forgets what waits behind a beginning that is later', () => {
    const tracker = new SequenceTracker<number>()
    tracker.offer(7, 7)
    tracker.offer(9, 9)
    expect(tracker.begin(8)).toEqual([9])
    expect(tracker.waitingCount).toBe(0)
  })

  it('lets what waits go on without a hole set aside, each once, and comes out whole', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 5 }), ({ count, sequences }, buffer) => {
        const tracker = new SequenceTracker<number>({ position: 0 })
        const ready: number[] = []
        for (const sequence of sequences) {
          ready.push(...offer(tracker, sequence))
          if (tracker.waitingCount >= buffer) ready.push(...tracker.setAside())
        }
        ready.push(...offer(tracker, count))
        const whole = Array.from({ length: count }, (_, index) => index + 1)
        const position = tracker.position ?? 0
        // Whatever is behind the position is there, whatever was set aside before it.
        expect(whole.slice(0, position).every((each) => ready.includes(each))).toBe(true)
        for (const sequence of whole) ready.push(...offer(tracker, sequence))
        expect(ready.toSorted((one, other) => one - other)).toEqual(whole)
        expect(tracker.position).toBe(count)
        expect(tracker.misses({ from: 1, to: count })).toBe(false)
      }),
    )
  })

  it('stands before a hole set aside, with the time before it, until that is filled', () => {
    const tracker = new SequenceTracker<number>({
      position: 10,
      time: 1_000,
      timeOf: (item) => item * 100,
    })
    tracker.offer(14, 14)
    expect(tracker.setAside()).toEqual([14])
    expect([tracker.position, tracker.positionTime, tracker.frontTime]).toEqual([10, 1_000, 1_400])
    expect(tracker.offer(15, 15)).toEqual({ outcome: 'accepted', ready: [15] })
    expect(tracker.offer(12, 12)).toEqual({ outcome: 'accepted', ready: [12] })
    expect(tracker.offer(12, 12).outcome).toBe('duplicate')
    expect(tracker.aside).toMatchObject({ from: 11, to: 11 })
    tracker.offer(11, 11)
    expect([tracker.position, tracker.positionTime]).toEqual([12, 1_200])
    expect(tracker.misses({ from: 11, to: 13 })).toBe(true)
    expect(tracker.giveUp('aside')).toEqual([])
    expect([tracker.position, tracker.positionTime]).toEqual([15, 1_500])
  })

  it('keeps no more than a thousand holes aside: the last ones become one', () => {
    const tracker = new SequenceTracker<number>({ position: 0 })
    for (let sequence = 2; sequence <= 3_000; sequence += 2) {
      tracker.offer(sequence, sequence)
      tracker.setAside()
    }
    let holes = 0
    for (; tracker.aside !== undefined; holes += 1) tracker.giveUp('aside')
    expect(holes).toBe(1_000)
  })
})
