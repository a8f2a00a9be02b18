import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { identify, identityOf, isAlive, terminate } from './process-identity.ts'

function start(script: string) {
  return spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

test('a process is told from another one with the same pid', () => {
  const own = identityOf(process.pid)
  expect(isAlive(own)).toBe(true)
  expect(isAlive({ ...own, startedAs: 'earlier' })).toBe(false)
})

test('a process that is told to end is gone afterwards', async () => {
  const child = start('setInterval(() => {}, 1000); console.log("ready")')
  await once(child.stdout, 'data')
  const identity = identityOf(child.pid ?? 0)
  expect(await terminate(identity, { signal: 'SIGTERM', boundMs: 30_000 })).toBe('ended')
  expect(identify(identity.pid)).toBeUndefined()
})

test('a process that does not listen is killed', async () => {
  const child = start(
    'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log(1)',
  )
  await once(child.stdout, 'data')
  const identity = identityOf(child.pid ?? 0)
  expect(await terminate(identity, { signal: 'SIGTERM', boundMs: 100 })).toBe('killed')
  expect(isAlive(identity)).toBe(false)
})

test('a process on record whose pid belongs to another one by now is left alone', async () => {
  const child = start('setInterval(() => {}, 1000); console.log("ready")')
  await once(child.stdout, 'data')
  const recycled = { pid: child.pid ?? 0, startedAs: 'earlier' }
  expect(await terminate(recycled, { signal: 'SIGKILL', boundMs: 1_000 })).toBe('ended')
  expect(child.signalCode).toBeNull()
  expect(identify(recycled.pid)).toBeDefined()
  child.kill('SIGKILL')
})
