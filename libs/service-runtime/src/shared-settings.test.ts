import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { documentedSettings, settingsTable } from './settings-table.ts'
import { sharedSettings } from './shared-settings.ts'

it('the README documents the settings that every service reads', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  expect(documentedSettings(readme, 'all')).toEqual(settingsTable('all', sharedSettings))
})
