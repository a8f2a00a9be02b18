import { expect, it } from 'vitest'

import { claimedEnds, newClaim } from './claim.ts'

it('a claim names where each partition ended', () => {
  const ends = [
    { partition: 0, offset: 12 },
    { partition: 3, offset: 0 },
  ]
  expect(claimedEnds(newClaim(ends))).toEqual(ends)
  expect(claimedEnds(newClaim([]))).toEqual([])
  expect(newClaim(ends)).not.toBe(newClaim(ends))
})

it('what somebody else wrote there is told', () => {
  expect(() => claimedEnds('me')).toThrow('has "me", which is no claim of this command')
})
