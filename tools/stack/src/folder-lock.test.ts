import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickertape-lock-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const patiently = { whom: () => 'the test', onProgress: () => undefined }

test('a lock is refused, with its holder, while it is held, and free afterwards', async () => {
  const lines: string[] = []
  const holder = await lockFolder(folder, patiently)
  await expect(
    lockFolder(folder, { ...patiently, boundMs: 50, onProgress: (line) => lines.push(line) }),
  ).rejects.toMatchObject({ code: 'in-use', message: expect.stringContaining('the test') })
  expect(lines).toEqual(['Waiting for the test …'])

  holder[Symbol.dispose]()
  using _next = await lockFolder(folder, { ...patiently, boundMs: 0 })
})

test('whoever waits gets the lock when it is released', async () => {
  const holder = await lockFolder(folder, patiently)
  const waiting = lockFolder(folder, patiently)
  holder[Symbol.dispose]()
  const next = await waiting
  await expect(lockFolder(folder, { ...patiently, boundMs: 0 })).rejects.toThrow('the test')
  next[Symbol.dispose]()
})

test('a holder that is killed with SIGKILL holds it no longer', async () => {
  const module = join(import.meta.dirname, 'folder-lock.ts')
  const script = `
    import { lockFolder } from ${JSON.stringify(module)}
    globalThis.held = await lockFolder(process.argv[1], { whom: () => '', onProgress: () => {} })
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await expect(lockFolder(folder, { ...patiently, boundMs: 0 })).rejects.toMatchObject({
    code: 'in-use',
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  using _next = await lockFolder(folder, { ...patiently, boundMs: 0 })
})
