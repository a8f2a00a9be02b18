import { expect, it } from 'vitest'

import { LineBudget } from './line-budget.ts'

it('a flood of one kind writes a few lines, and tells once how many it withheld', () => {
  const budget = new LineBudget({ lines: 3, spanMs: 1_000 })
  const written = Array.from({ length: 1_000 }, (_, at) => budget.take('late', at / 10))
  expect(written.filter(({ write }) => write)).toHaveLength(3)
  expect(budget.takeWithheld(999)).toEqual([])
  expect(budget.takeWithheld(1_000)).toEqual([{ kind: 'late', withheld: 997 }])
  expect(budget.takeWithheld(2_000)).toEqual([])
})

it('the first line of the next span says what the last one withheld, where nobody asked before', () => {
  const budget = new LineBudget({ lines: 1, spanMs: 1_000 })
  budget.take('late', 0)
  budget.take('late', 1)
  expect(budget.take('late', 1_000)).toEqual({ write: true, withheldBefore: 1 })
  expect(budget.takeWithheld(2_000)).toEqual([])
})

it('kinds do not share a budget', () => {
  const budget = new LineBudget({ lines: 1, spanMs: 1_000 })
  budget.take('late', 0)
  expect(budget.take('late', 0).write).toBe(false)
  expect(budget.take('future', 0).write).toBe(true)
})
