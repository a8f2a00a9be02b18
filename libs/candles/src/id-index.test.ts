import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IdIndex, hashOfId, packHashes, unpackHashes } from './id-index.ts'

describe('an index of ids', () => {
  const hashes = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    // The same slot in any table.
    fc.integer({ min: 1, max: 5 }).map((times) => times * 2 ** 40 + 3),
    fc.integer({ min: 1, max: 2 ** 53 - 1 }),
  )
  const steps = fc.array(fc.tuple(fc.nat(3), hashes, fc.nat(4)), { maxLength: 400, size: 'max' })

  test('holds what a list of pairs holds, through any additions and deletions', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const index = new IdIndex()
        const pairs: { readonly hash: number; readonly start: number }[] = []
        for (const [kind, hash, second] of list) {
          const start = second * 1_000
          if (kind > 0) {
            index.add(hash, start)
            pairs.push({ hash, start })
          } else {
            index.delete(hash, start)
            const at = pairs.findIndex((pair) => pair.hash === hash && pair.start === start)
            if (at >= 0) pairs.splice(at, 1)
          }
        }
        expect(index.size).toBe(pairs.length)
        for (const [, hash] of list) {
          const expected = pairs.flatMap((pair) => (pair.hash === hash ? [pair.start] : []))
          expect(index.windowsOf(hash)).toStrictEqual(expected.sort((a, b) => a - b))
        }
      }),
    )
  })
})

describe('hashes of ids', () => {
  test('are integers that a double holds, and never 0', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const hash = hashOfId(id)
        expect(Number.isSafeInteger(hash) && hash > 0).toBe(true)
      }),
    )
  })

  test('of a million numbers in a row are all different', () => {
    const hashes = new Set<number>()
    for (let id = 0; id < 1_000_000; id += 1) hashes.add(hashOfId(String(id)))
    expect(hashes.size).toBe(1_000_000)
  })

  test('survive the changelog, wherever their bytes lie', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 53 - 1 })), fc.nat(7), (list, shift) => {
        const packed = packHashes(list)
        const shifted = new Uint8Array(packed.length + shift)
        shifted.set(packed, shift)
        expect(unpackHashes(shifted.subarray(shift))).toStrictEqual(list)
      }),
    )
    expect(unpackHashes(null)).toStrictEqual([])
  })

  // A Buffer's `slice` is a view of the pool that it lies in: its `buffer` held the bytes of others.
  test('are read from a part of a larger buffer whose class overrides slice', () => {
    const larger = new ArrayBuffer(64)
    class View extends Uint8Array<ArrayBuffer> {
      override slice(from?: number, to?: number): View {
        const part = this.subarray(from, to)
        return new View(larger, part.byteOffset, part.byteLength)
      }
    }
    const view = new View(larger, 8, 16)
    view.set(packHashes([7, 2 ** 53 - 1]))
    expect(unpackHashes(view)).toStrictEqual([7, 2 ** 53 - 1])
  })
})
