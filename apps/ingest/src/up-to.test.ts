import { describe, expect, it } from 'vitest'

import { nextUpTo } from './up-to.ts'

const input = { previous: undefined, venueTime: 10_000, marginMs: 200, incomplete: [] }

describe('upTo of a heartbeat', () => {
  it("follows the venue's time, less the margin", () => {
    expect(nextUpTo(input)).toBe(9_800)
  })

  it('stays before the earliest hole', () => {
    expect(nextUpTo({ ...input, incomplete: [9_500, 9_400, 9_900] })).toBe(9_400)
  })

  it('never goes back', () => {
    expect(nextUpTo({ ...input, previous: 9_700, incomplete: [9_400] })).toBe(9_700)
    expect(nextUpTo({ ...input, previous: 9_900 })).toBe(9_900)
  })

  it('stands still while it is not known what is delivered before a hole', () => {
    expect(nextUpTo({ ...input, previous: 9_700, incomplete: [undefined] })).toBe(9_700)
    expect(nextUpTo({ ...input, incomplete: [undefined] })).toBeUndefined()
  })
})
