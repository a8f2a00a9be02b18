import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { settingsTable } from './settings-table.ts'

it("the README's table of variables is what the services read", () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, written] = readme.split(/<!-- \/?settings.*-->/)
  expect(written?.trim()).toBe(settingsTable())
})
