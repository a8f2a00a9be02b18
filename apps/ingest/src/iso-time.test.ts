import fc from 'fast-check'
import { expect, it } from 'vitest'

import { isoMilliseconds } from './iso-time.ts'

it('lies in its millisecond, however many decimals a venue writes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }),
      fc.stringMatching(/^\d{0,6}$/),
      (time, decimals) => {
        const text = new Date(time).toISOString().replace('Z', `${decimals}Z`)
        expect(isoMilliseconds(text)).toBe(time)
      },
    ),
  )
})

it.each([
  ['2026-05-20T00:00:00Z', Date.UTC(2026, 4, 20)],
  ['2026-05-20T00:00:00.1Z', Date.UTC(2026, 4, 20, 0, 0, 0, 100)],
  ['2026-05-20T00:00:00.000999999Z', Date.UTC(2026, 4, 20)],
])('%s is %d', (text, time) => {
  expect(isoMilliseconds(text)).toBe(time)
})

it.each([
  '2026-05-20T00:00:00',
  '2026-05-20T00:00:00.Z',
  '2026-13-20T00:00:00Z',
  '2026-05-20 00:00:00 +0000 UTC m=+91717.525857105',
  '0001-01-01T00:00:00Z',
  '',
  null,
  1_779_235_200_000,
])('%j is no time', (value) => {
  expect(isoMilliseconds(value)).toBeUndefined()
})
