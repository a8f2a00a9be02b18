import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SequenceSet } from './sequence-set.ts'

const small = fc.nat(60)
const ranges = fc.tuple(small, fc.nat(8)).map(([from, span]) => ({ from, to: from + span }))

function setOf(numbers: Iterable<number>): SequenceSet {
  const set = new SequenceSet()
  for (const number of numbers) set.add(number)
  return set
}

function expectHolds(set: SequenceSet, numbers: ReadonlySet<number>): void {
  for (let number = -1; number <= 70; number += 1) {
    expect(set.has(number), String(number)).toBe(numbers.has(number))
  }
  // Ascending, disjoint, and never adjacent: each set has one form.
  const bounds = set.toRanges()
  for (const [at, { from, to }] of bounds.entries()) {
    expect(from).toBeLessThanOrEqual(to)
    expect(from).toBeGreaterThan((bounds[at - 1]?.to ?? -2) + 1)
  }
  expect(set.rangeCount).toBe(bounds.length)
}

describe('a set of sequences', () => {
  test('holds what was added, in whatever order, one by one or by range', () => {
    const additions = fc.array(fc.oneof(small, ranges), { maxLength: 40 })
    fc.assert(
      fc.property(additions, (list) => {
        const set = new SequenceSet()
        const expected = new Set<number>()
        for (const addition of list) {
          const { from, to } =
            typeof addition === 'number' ? { from: addition, to: addition } : addition
          if (typeof addition === 'number') set.add(addition)
          else set.addRange(from, to)
          for (let number = from; number <= to; number += 1) expected.add(number)
        }
        expectHolds(set, expected)
      }),
      { numRuns: 500 },
    )
  })

  test('is the union after another set is added', () => {
    const numbers = fc.array(small, { maxLength: 30 })
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const set = setOf(a)
        set.addAll(setOf(b))
        expectHolds(set, new Set([...a, ...b]))
      }),
    )
  })

  test('no longer holds what was deleted, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(small), fc.array(small), (added, deleted) => {
        const set = setOf(added)
        const expected = new Set(added)
        for (const number of deleted) {
          set.delete(number)
          expected.delete(number)
        }
        expectHolds(set, expected)
      }),
    )
  })

  test('has a range if it has every number of it', () => {
    fc.assert(
      fc.property(
        fc.array(small, { maxLength: 40, size: 'max' }),
        ranges,
        (added, { from, to }) => {
          const numbers = new Set(added)
          let hasAll = true
          for (let number = from; number <= to; number += 1) hasAll &&= numbers.has(number)
          expect(setOf(added).hasRange(from, to)).toBe(hasAll)
        },
      ),
    )
  })

  test('comes back from its ranges', () => {
    fc.assert(
      fc.property(fc.array(small), (numbers) => {
        const set = setOf(numbers)
        expect(SequenceSet.of(set.toRanges()).toRanges()).toStrictEqual(set.toRanges())
      }),
    )
  })

  test('that was numbered without holes is one range', () => {
    expect(setOf([5, 6, 7, 9, 8]).toRanges()).toStrictEqual([{ from: 5, to: 9 }])
  })

  test('forgets its lowest ranges first', () => {
    const set = setOf([1, 3, 5, 7])
    expect(set.keepHighest(4)).toBe(false)
    expect(set.keepHighest(2)).toBe(true)
    expectHolds(set, new Set([5, 7]))
  })

  test('is empty after it was cleared', () => {
    const set = setOf([1, 3])
    set.clear()
    expectHolds(set, new Set())
  })
})
