import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isWithin, mergeRanges } from './offset-ranges.ts'

const ranges = fc.array(
  fc
    .tuple(fc.nat(10_000_000), fc.nat(3_000))
    .map(([from, length]) => ({ from, to: from + length })),
  { maxLength: 40, size: 'max' },
)

test('merged ranges hold every offset, in ascending order, in a bounded number', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const merged = mergeRanges(list)
      expect(merged.length).toBeLessThanOrEqual(16)
      for (const { from, to } of list) {
        expect(isWithin(merged, from) && isWithin(merged, to)).toBe(true)
      }
      for (const [at, { from, to }] of merged.entries()) {
        expect(to).toBeGreaterThanOrEqual(from)
        expect(from).toBeGreaterThan(merged[at - 1]?.to ?? -1)
      }
    }),
  )
})

test('ranges far from each other stay apart', () => {
  const apart = [
    { from: 9_000, to: 9_005 },
    { from: 0, to: 5 },
  ]
  expect(mergeRanges(apart)).toStrictEqual([...apart].reverse())
  expect(isWithin(mergeRanges(apart), 6)).toBe(false)
})
