import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredWindow } from '@tickertape/market-model'
import { memoryCodec } from './memory-codec.ts'
import { PackedWindows } from './packed-windows.ts'
import { StoredWindows } from './stored-windows.ts'
import { emptyWindow } from './stored-trades.ts'

const starts = fc.nat(30).map((start) => start * 10)
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('put' as const), start: starts, revision: fc.nat(9) }),
    fc.record({ kind: fc.constant('delete' as const), start: starts }),
    fc.record({ kind: fc.constant('commit' as const) }),
  ),
  { maxLength: 80 },
)

function windowAt(start: number, revision: number): StoredWindow {
  return { ...emptyWindow, sums: { ...emptyWindow.sums, windowStart: start }, revision }
}

test('windows are those of a sorted map, and the changelog holds the same after each commit', () => {
  fc.assert(
    fc.property(steps, starts, starts, (list, from, to) => {
      const codec = memoryCodec()
      const packed = new PackedWindows(codec)
      const windows = new StoredWindows(packed)
      const model = new Map<number, number>()
      const changelog = new Map<number, Uint8Array>()
      const commit = () => {
        windows.takeChanges((start, bytes) => {
          if (bytes === null) changelog.delete(start)
          else changelog.set(start, bytes)
        })
      }
      for (const step of list) {
        if (step.kind === 'put') {
          windows.put(step.start, windowAt(step.start, step.revision))
          model.set(step.start, step.revision)
        } else if (step.kind === 'delete') {
          windows.delete(step.start)
          model.delete(step.start)
        } else commit()
      }
      const sorted = [...model].toSorted(([a], [b]) => a - b)
      const inRange = sorted.filter(([start]) => start >= from && start < to)
      const facts = (list: Iterable<StoredWindow>) =>
        [...list].map(({ sums, revision }) => [sums.windowStart, revision])
      expect(windows.size).toBe(model.size)
      expect(facts(windows.between(from, to))).toStrictEqual(inRange)
      expect(windows.startsBetween(from, to)).toStrictEqual(inRange.map(([start]) => start))
      expect(facts(windows.before(to))).toStrictEqual(
        sorted.filter(([start]) => start < to).toReversed(),
      )
      expect(windows.get(from)?.revision).toBe(model.get(from))
      expect(windows.has(from)).toBe(model.has(from))

      commit()
      const restored = new StoredWindows(new PackedWindows(codec))
      for (const [start, bytes] of changelog) restored.restore(start, bytes)
      expect(facts(restored.between(0, Infinity))).toStrictEqual(sorted)
    }),
    { numRuns: 300 },
  )
})
