import { expect, it } from 'vitest'

import { medians } from './bench-frame.ts'

it('the figures of a bench are the medians of its runs', () => {
  expect(
    medians([
      { a: 3, b: 1 },
      { a: 1, b: 9 },
      { a: 2, b: 5 },
    ]),
  ).toEqual({ a: 2, b: 5 })
})

it('a figure that a run did not give is left out', () => {
  expect(medians([{ a: 3, b: 1 }, { a: 1 }, { a: 2 }])).toEqual({ a: 2 })
})
