import { describe, expect, it } from 'vitest'

import { BatchSize } from './batch-size.ts'

const most = 20_000

describe('the size of a batch', () => {
  it('becomes what the database takes within the target, within bounds', () => {
    const size = new BatchSize({ most, targetMs: 200 })
    const settle = (msPerRecord: number) => {
      for (let batch = 0; batch < 30; batch += 1) {
        size.observe(size.records, size.records * msPerRecord)
      }
      return size.records
    }
    expect(settle(0.02)).toBeCloseTo(10_000, -2)
    expect(settle(0.2)).toBeCloseTo(1_000, -1)
    expect(settle(0.000_1)).toBe(most)
    expect(settle(50)).toBe(100)
  })

  it('is not moved by batches that are far from full', () => {
    const size = new BatchSize({ most, targetMs: 200 })
    size.observe(5_000, 100)
    const before = size.records
    // Mostly the commit itself: 10 ms for 10 records say nothing of 10,000.
    for (let batch = 0; batch < 100; batch += 1) size.observe(10, 10)
    expect(size.records).toBe(before)
  })

  it('has the bound of the settings, however small', () => {
    expect(new BatchSize({ most: 7, targetMs: 200 }).records).toBe(7)
  })
})
