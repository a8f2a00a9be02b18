import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'

import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** Everything that the first page asks for, compressed as a gateway does it. */
const mostBytes = 200 * 1024

const project = fileURLToPath(new URL('../', import.meta.url))
let folder: string
let page: string
let files: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dashboard-'))
  await build({
    configFile: join(project, 'vite.config.ts'),
    build: { outDir: folder },
    logLevel: 'error',
  })
  page = await readFile(join(folder, 'index.html'), 'utf8')
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  files = names
    .filter((each) => each.isFile() && !each.name.endsWith('.map'))
    .map((each) => join(each.parentPath, each.name))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

it('the first load is at most 200 KB compressed', async () => {
  const sizes = await Promise.all(
    files.map(async (file) => brotliCompressSync(await readFile(file)).byteLength),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  expect(files.length).toBeGreaterThan(3)
  expect(total).toBeLessThanOrEqual(mostBytes)
})

it('the page has no inline script or style, which a strict policy forbids', () => {
  const scripts = [...page.matchAll(/<script\b[^>]*>(.*?)<\/script>/gs)]
  expect(scripts).not.toEqual([])
  expect(scripts.every(([tag, text]) => tag.includes(' src=') && text === '')).toBe(true)
  expect(page).not.toMatch(/<style\b|\sstyle=|\son[a-z]+=/)
})

it('the page asks for nothing from elsewhere, and works under any path', () => {
  const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)
  expect(addresses.length).toBeGreaterThan(2)
  expect(addresses.filter((address) => !address?.startsWith('./'))).toEqual([])
})
