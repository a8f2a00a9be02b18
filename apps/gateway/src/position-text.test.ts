import { position } from '@tickertape/market-api'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { positionOf, positionText } from './position-text.ts'

const offsets = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 32 })

it('a position is read back from its text, which clients may send', () => {
  fc.assert(
    fc.property(fc.record({ candles: offsets, marketEvents: offsets }), (at) => {
      const text = positionText(at)
      expect(position.safeParse(text).success).toBe(true)
      expect(positionOf(text)).toEqual(at)
    }),
  )
})

it.each([
  '',
  '1',
  '1-0',
  '2-0-0',
  '1-0-0-0',
  '1--0',
  '1-0_-0',
  '1-A-0',
  '1-00-0',
  '1-zzzzzzzzzzzz-0',
])('"%s" is no position', (text) => {
  expect(positionOf(text)).toBeUndefined()
})
