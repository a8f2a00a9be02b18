import { describe, expect, it } from 'vitest'

import {
  SettingsError,
  integerSetting,
  maskSecrets,
  printableSettings,
  readSettings,
  textSetting,
  urlSetting,
} from './settings.ts'

const settings = {
  DEMO_GRACE_MS: integerSetting({ default: '1000', about: 'grace' }),
  DEMO_NAME: textSetting({ about: 'a name' }),
  DATABASE_URL: urlSetting(['postgres'], { default: 'postgres://a:b@h/d', about: 'database' }),
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(settings, 'DEMO_', environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

describe('settings', () => {
  it('reads values and falls back to defaults', () => {
    expect(readSettings(settings, 'DEMO_', { DEMO_NAME: 'x', DEMO_GRACE_MS: '5' })).toEqual({
      DEMO_GRACE_MS: 5,
      DEMO_NAME: 'x',
      DATABASE_URL: 'postgres://a:b@h/d',
    })
  })

  it('names every problem at once', () => {
    expect(problemsOf({ DEMO_GRACE_MS: '5s', DATABASE_URL: 'http://h' })).toEqual([
      'DEMO_GRACE_MS must be a non-negative integer, got "5s"',
      'DEMO_NAME must be set: a name',
      'DATABASE_URL must be an address that begins with postgres://, got "http://h"',
    ])
  })

  it('refuses a variable with the own prefix that it does not know', () => {
    expect(problemsOf({ DEMO_NAME: 'x', DEMO_GRACE: '5' })).toEqual([
      'DEMO_GRACE is no setting of this service; it knows DEMO_GRACE_MS, DEMO_NAME',
    ])
  })

  it('masks passwords in what it prints', () => {
    const values = readSettings(settings, 'DEMO_', { DEMO_NAME: 'x' })
    expect(printableSettings(settings, values)['DATABASE_URL']).toBe('postgres://a:***@h/d')
    expect(maskSecrets('http://h:80/p')).toBe('http://h:80/p')
  })
})
