import { expect, it } from 'vitest'

import { mergeRanges } from './rereads.ts'

it('records that several windows ask for are read once, in the order of the log', () => {
  const ranges = [
    { from: 10, to: 12 },
    { from: 1, to: 3 },
    { from: 4, to: 5 },
    { from: 11, to: 20 },
    { from: 13, to: 14 },
    { from: 22, to: 22 },
  ]
  expect(mergeRanges(ranges)).toEqual([
    { from: 1, to: 5 },
    { from: 10, to: 20 },
    { from: 22, to: 22 },
  ])
})
