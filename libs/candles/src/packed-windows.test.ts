import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StoredWindow } from '@tickertape/market-model'
import { PackedWindows } from './packed-windows.ts'
import { emptyWindow } from './stored-trades.ts'

/** Bytes of a given length that say which window they are. */
const codec = {
  encode: ({ revision, sums }: StoredWindow) => {
    const bytes = new Uint8Array(8 + revision)
    new DataView(bytes.buffer).setUint32(0, sums.windowStart)
    new DataView(bytes.buffer).setUint32(4, revision)
    return bytes
  },
  decode: (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const revision = view.getUint32(4)
    if (bytes.length !== 8 + revision) throw new Error('The bytes are not those of one window')
    return windowOf(view.getUint32(0), revision)
  },
}

function windowOf(windowStart: number, revision: number): StoredWindow {
  return { ...emptyWindow, sums: { ...emptyWindow.sums, windowStart }, revision }
}

test('what is kept is read until it is dropped, through windows of any size', () => {
  const sizes = fc.oneof(
    { weight: 8, arbitrary: fc.nat(200) },
    { weight: 3, arbitrary: fc.integer({ min: 100_000, max: 700_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1_048_560, max: 1_048_590 }) },
  )
  const steps = fc.array(fc.tuple(fc.nat(2), sizes), { maxLength: 60, size: 'max' })
  fc.assert(
    fc.property(steps, (list) => {
      const packed = new PackedWindows(codec)
      const kept: { readonly place: number; readonly window: StoredWindow }[] = []
      for (const [at, [kind, size]] of list.entries()) {
        if (kind > 0) {
          const window = windowOf(at, size)
          kept.push({ place: packed.keep(packed.encode(window)), window })
        } else {
          const [dropped] = kept.splice(size % Math.max(kept.length, 1), 1)
          if (dropped !== undefined) packed.drop(dropped.place)
        }
        for (const { place, window } of kept) expect(packed.read(place)).toStrictEqual(window)
      }
    }),
    { numRuns: 30 },
  )
})

test('memory is given back when all that a slab held is dropped', () => {
  const packed = new PackedWindows(codec)
  const bytes = packed.encode(windowOf(1, 1_000))
  let places: number[] = []
  for (let round = 0; round < 5; round += 1) {
    const former = places
    places = Array.from({ length: 5_000 }, () => packed.keep(bytes))
    for (const place of former) packed.drop(place)
  }
  expect(packed.heldBytes).toBeLessThan(8 * 2 ** 20)
})
