import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, readConfig, settingNames } from './config.ts'

test('an empty environment gives the simulator of npm start', () => {
  expect(readConfig({})).toEqual({
    port: 9100,
    seed: 'tickertape',
    rate: 1,
    speed: 1,
    hold: false,
    limits: true,
  })
})

test('every setting is read', () => {
  const environment = {
    SIMULATOR_PORT: '0',
    SIMULATOR_VENUES: 'binance',
    SIMULATOR_SEED: 'other',
    SIMULATOR_RATE: '0.5',
    SIMULATOR_SWAPS_PER_MINUTE: '250',
    SIMULATOR_SPEED: 'max',
    SIMULATOR_SPEED_AFTER_END: '10',
    SIMULATOR_START: '2026-05-20T00:00:00Z',
    SIMULATOR_END: '1779235260000',
    SIMULATOR_HOLD: 'true',
    SIMULATOR_LIMITS: 'false',
  }
  expect(readConfig(environment)).toEqual({
    port: 0,
    venues: ['binance'],
    seed: 'other',
    rate: 0.5,
    swapsPerMinute: 250,
    speed: 'max',
    speedAfterEnd: 10,
    start: Date.UTC(2026, 4, 20),
    end: 1_779_235_260_000,
    hold: true,
    limits: false,
  })
  expect(readConfig({ SIMULATOR_REPLAY: 'a.jsonl.gz' }).replay).toBe('a.jsonl.gz')
})

test('all problems are told at once, each with its variable and its value', () => {
  const environment = { SIMULATOR_PORT: '91OO', SIMULATOR_SPEED: '0', SIMULATOR_HOLD: 'yes' }
  expect(() => readConfig(environment)).toThrow(ConfigError)
  expect(() => readConfig(environment)).toThrow(
    [
      'SIMULATOR_PORT must be a non-negative integer, got "91OO"',
      'SIMULATOR_SPEED must be a positive number or "max", got "0"',
      'SIMULATOR_HOLD must be true or false, got "yes"',
    ].join('\n'),
  )
})

test('a variable with a mistyped name is refused', () => {
  expect(() => readConfig({ SIMULATOR_SPED: '2', PATH: '/bin' })).toThrow(
    'SIMULATOR_SPED is no setting; there are SIMULATOR_PORT, SIMULATOR_VENUES',
  )
})

test('what a recording decides cannot be set beside it', () => {
  expect(() => readConfig({ SIMULATOR_REPLAY: 'a.jsonl.gz', SIMULATOR_VENUES: 'deribit' })).toThrow(
    'SIMULATOR_VENUES must be left out with SIMULATOR_REPLAY',
  )
})

test('the README lists every setting and no other', async () => {
  const readme = await readFile(path.resolve(import.meta.dirname, '../README.md'), 'utf8')
  const listed = [...readme.matchAll(/^\| (SIMULATOR_\w+) +\|/gm)].map(([, name]) => name)
  expect(new Set(listed)).toEqual(new Set(settingNames))
  expect(listed).toHaveLength(settingNames.length)
})
