import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { waitUntil } from '@tickertape/testing'
import { expect, it, onTestFinished } from 'vitest'

import { FrameRecorder } from './frame-recorder.ts'

async function given(maxBytes = 1_000_000, folderOf = (made: string) => made) {
  const made = await mkdtemp(join(tmpdir(), 'tickertape-frames-'))
  onTestFinished(() => rm(made, { recursive: true }))
  const folder = folderOf(made)
  const told = { dropped: 0, written: 0, failures: [] as string[] }
  const open = () =>
    FrameRecorder.open({
      folder,
      name: 'binance/a',
      maxBytes,
      everyMs: 5,
      onDropped: (frames) => (told.dropped += frames),
      onWritten: (bytes) => (told.written += bytes),
      onFailure: (error) => told.failures.push(error.message),
    })
  const files = async () => (await readdir(folder)).toSorted()
  const lines = async () => {
    const texts = await Promise.all(
      (await files()).map(async (name) => String(gunzipSync(await readFile(join(folder, name))))),
    )
    return texts
      .flatMap((text) => text.trimEnd().split('\n'))
      .map((line): unknown => JSON.parse(line))
  }
  return { folder, told, open, files, lines }
}

it('holds every frame as it came, and where connections opened, once it is closed', async () => {
  const { open, lines, told } = await given()
  const frames = ['{"a": 1.0e3}', 'not JSON', 'line\nfeed', '\u2028 "quoted"']
  {
    await using recorder = await open()
    const first = recorder.opened()
    for (const frame of frames) recorder.received(first, frame)
    recorder.received(recorder.opened(), 'of the second')
  }
  expect(await lines()).toMatchObject([
    { conn: 1, dir: null },
    ...frames.map((raw) => ({ conn: 1, dir: 'in', raw })),
    { conn: 2, dir: null },
    { conn: 2, dir: 'in', raw: 'of the second' },
  ])
  expect(told.dropped).toBe(0)
})

it('is whole up to what was written whenever the process ends', async () => {
  const { open, lines, told } = await given()
  await using recorder = await open()
  recorder.received(recorder.opened(), 'first')
  await waitUntil('the first member', () => told.written > 0)
  recorder.received(1, 'second')
  expect(await lines()).toMatchObject([{ dir: null }, { raw: 'first' }])
})

it('takes no more room than it has, and deletes the oldest files of its own alone', async () => {
  const maxBytes = 40_000
  const { folder, open, files, lines, told } = await given(maxBytes)
  await writeFile(join(folder, 'other.jsonl.gz'), 'kept')
  let last = 0
  for (let run = 0; run < 3; run += 1) {
    await using recorder = await open()
    const conn = recorder.opened()
    for (let count = 0; count < 40; count += 1) {
      last += 1
      // Random text does not shrink; each frame is a chunk of its own.
      const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(1_500))).toString('base64')
      recorder.received(conn, `${last} ${noise}`)
      const { written } = told
      if (count % 10 === 9) await waitUntil('a member', () => told.written > written)
    }
  }
  const own = (await files()).filter((name) => name.startsWith('binance_a'))
  const sizes = await Promise.all(own.map(async (name) => (await stat(join(folder, name))).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxBytes)
  expect(own.length).toBeGreaterThan(1)
  expect(await readFile(join(folder, 'other.jsonl.gz'), 'utf8')).toBe('kept')
  await rm(join(folder, 'other.jsonl.gz'))
  const recorded = JSON.stringify((await lines()).at(-1))
  expect(recorded).toContain(`"raw":"${last} `)
})

it('leaves frames out, and says how many, rather than hold up the feed', async () => {
  const { open, told, lines } = await given(100_000_000)
  const frame = 'x'.repeat(1024 ** 2)
  {
    await using recorder = await open()
    const conn = recorder.opened()
    for (let count = 0; count < 40; count += 1) recorder.received(conn, frame)
  }
  expect(told.dropped).toBeGreaterThan(0)
  expect((await lines()).length - 1 + told.dropped).toBe(40)
})

it('ends with its disk, and the feed goes on', async () => {
  const { folder, open, told } = await given(1_000_000, (made) => join(made, 'folder'))
  await using recorder = await open()
  await rm(folder, { recursive: true })
  recorder.received(recorder.opened(), 'first')
  await waitUntil('the failure', () => told.failures.length === 1)
  recorder.received(1, 'second')
  expect(told.failures[0]).toContain('ENOENT')
})
