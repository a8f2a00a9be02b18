import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stackConfig } from './config.ts'

test.each([
  [{ TICKERTAPE_CACHE: '/own', XDG_CACHE_HOME: '/xdg' }, '/own'],
  [{ XDG_CACHE_HOME: '/xdg' }, '/xdg/tickertape'],
  [{ XDG_CACHE_HOME: 'relative' }, join(homedir(), '.cache', 'tickertape')],
  [{}, join(homedir(), '.cache', 'tickertape')],
])('with %j the cache is %s', (environment, folder) => {
  expect(stackConfig(environment).cacheFolder).toBe(folder)
})

test('JAVA_HOME goes before PATH', () => {
  expect(stackConfig({ JAVA_HOME: '/jdk' }).java).toBe('/jdk/bin/java')
  expect(stackConfig({}).java).toBe('java')
})
