import { expect, it } from 'vitest'

import { MessageBudget } from './message-budget.ts'

function taken(budget: MessageBudget, now: number, tries: number): number {
  return Array.from({ length: tries }, () => budget.take(now)).filter(Boolean).length
}

it('ten times the rate may come at once, and from then on the rate', () => {
  const budget = new MessageBudget(5, 1_000)
  expect(taken(budget, 1_000, 100)).toBe(50)
  expect(taken(budget, 1_199, 100)).toBe(0)
  expect(taken(budget, 2_000, 100)).toBe(5)
})

it('a long pause saves up no more than a burst', () => {
  const budget = new MessageBudget(5, 0)
  expect(taken(budget, 3_600_000, 100)).toBe(50)
})
