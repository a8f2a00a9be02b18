import fc from 'fast-check'
import { expect, it } from 'vitest'

import { MessageNumbers } from './message-numbers.ts'

it('is complete when all came, in any order and however often', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 20 }, (_, index) => index + 1),
        { minLength: 20 },
      ),
      fc.array(fc.integer({ min: 0, max: 20 })),
      (numbers, again) => {
        const heard = new MessageNumbers()
        for (const each of [0, ...numbers, ...again]) heard.came(each)
        expect(heard.complete).toBe(true)
      },
    ),
  )
})

it('is not complete while one below the highest is missing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 19 }), (missing) => {
      const heard = new MessageNumbers()
      for (let number = 0; number <= 20; number += 1) if (number !== missing) heard.came(number)
      expect(heard.complete).toBe(false)
      heard.came(missing)
      expect(heard.complete).toBe(true)
    }),
  )
})

it('begins anywhere, and anew', () => {
  const heard = new MessageNumbers()
  heard.came(5)
  heard.came(7)
  heard.restart()
  expect(heard.complete).toBe(true)
  heard.came(9)
  expect(heard.complete).toBe(true)
})

it('never forgets that something is missing, however much comes', () => {
  const heard = new MessageNumbers()
  heard.came(0)
  for (let number = 2; number < 5_000; number += 1) heard.came(number)
  expect(heard.complete).toBe(false)
})
