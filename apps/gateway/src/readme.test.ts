import { readFileSync } from 'node:fs'

import { documentedSettings, settingsTable, sharedSettings } from '@tickertape/service-runtime'
import { expect, it } from 'vitest'

import { settings } from './config.ts'

it('the README documents every variable that this service reads', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const own = Object.entries(settings).filter(([name]) => !Object.hasOwn(sharedSettings, name))
  const rows = settingsTable('gateway', Object.fromEntries(own))
  expect(documentedSettings(readme, 'gateway')).toEqual(rows)
})
