import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { documentedSettings, settingsTable } from './settings-table.ts'
import { sharedSettings } from './shared-settings.ts'
import { tracingSettings } from './tracing-settings.ts'

it('the README documents the settings that every service reads', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const settings = { ...sharedSettings, ...tracingSettings }
  expect(documentedSettings(readme, 'all')).toEqual(settingsTable('all', settings))
})
