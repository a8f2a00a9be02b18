import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { alertGroups } from './alerts.ts'
import { hops } from './hops.ts'

const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8')
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text): [string, string] => [text.split('\n', 1)[0] ?? '', text]),
)
const alerts = alertGroups().flatMap((group) => group.alerts)

describe('the runbook', () => {
  it('has a section for each alert, and an alert for each section', () => {
    expect([...sections.keys()].sort()).toEqual(alerts.map(({ name }) => name).sort())
  })

  it.each([...sections])('says of %s what it means, how to look and what to do', (_, text) => {
    for (const part of ['**Means.**', '**Look.**', '**Do.**']) expect(text).toContain(part)
  })

  it('links to sections that there are', () => {
    const known = [...sections.keys()].map((name) => name.toLowerCase())
    for (const [, anchor] of runbook.matchAll(/\]\(#([\w-]+)\)/g)) expect(known).toContain(anchor)
  })

  it('names the budget of each hop', () => {
    const told = sections.get('FreshnessOverBudget')
    for (const { name, budgetSeconds } of hops) {
      expect(told).toMatch(new RegExp(`^\\| ${name} \\|.* \\| ${budgetSeconds} s \\|$`, 'm'))
    }
  })
})

it('no two alerts have one name', () => {
  const names = alerts.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
