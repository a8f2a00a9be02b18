import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { backoffMs } from './backoff.ts'
import { RequestBudget } from './request-budget.ts'

describe('waiting after failures', () => {
  it('doubles up to the maximum and keeps at least half of it', () => {
    const bounds = { firstMs: 100, maxMs: 1_000 }
    expect([1, 2, 3, 4, 5, 60].map((failures) => backoffMs(failures, bounds, 0))).toEqual([
      50, 100, 200, 400, 500, 500,
    ])
    expect(backoffMs(60, bounds, 0.999_999)).toBe(1_000)
  })
})

describe("a venue's request limit", () => {
  it('is never passed, whenever requests come', () => {
    const limit = { capacity: 10, refillPerSecond: 5 }
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 80 }), (pauses) => {
        const budget = new RequestBudget(limit, 0)
        let now = 0
        const sentAt = pauses.map((pause) => {
          now += pause
          return now + budget.take(1, now)
        })
        for (const [first, from] of sentAt.entries()) {
          const [last] = sentAt
            .entries()
            .filter(([, at]) => at <= from + 1_000)
            .toArray()
            .slice(-1)
          const sent = (last?.[0] ?? first) - first + 1
          // What was saved up, and what comes back within the second.
          expect(sent).toBeLessThanOrEqual(limit.capacity + limit.refillPerSecond + 1)
        }
      }),
    )
  })
})
