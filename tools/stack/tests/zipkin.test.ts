import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, type TestContext } from 'vitest'
import {
  runningStackStatus,
  startDetachedStack,
  startStack,
  stopStack,
  StackProblem,
  type RunningStack,
} from '../src/index.ts'
import { processesNaming, runningPids } from './observed.ts'

const folders: string[] = []

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickertape-stack-'))
  folders.push(folder)
  return folder
}

afterAll(async () => {
  for (const folder of folders) {
    await stopStack(folder)
    rmSync(folder, { recursive: true, force: true })
  }
})

const place = { ports: 'free', with: ['zipkin'], onProgress: () => undefined } as const

/** Skips the test, with the reason, where Zipkin cannot be had. */
async function orSkip(
  starting: Promise<RunningStack>,
  { skip }: TestContext,
): Promise<RunningStack> {
  try {
    return await starting
  } catch (error) {
    if (!(error instanceof StackProblem) || !['maven', 'download'].includes(error.code)) throw error
    return skip(error.message)
  }
}

async function sendSpan(zipkinUrl: string, traceId: string): Promise<number> {
  const span = { traceId, id: '1'.repeat(16), name: 'hop', timestamp: Date.now() * 1_000 }
  const response = await fetch(`${zipkinUrl}/api/v2/spans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([span]),
  })
  await response.body?.cancel()
  return response.status
}

test('Zipkin starts with a stack that asks for it, takes spans, and ends with it', async (context) => {
  const folder = newFolder()
  const stack = await orSkip(startStack({ ...place, folder }), context)
  const zipkinUrl = stack.zipkinUrl ?? ''
  const traceId = 'a'.repeat(32)
  expect(await sendSpan(zipkinUrl, traceId)).toBe(202)
  const trace: unknown = await (await fetch(`${zipkinUrl}/api/v2/trace/${traceId}`)).json()
  expect(trace).toMatchObject([{ traceId, name: 'hop' }])
  const { parts } = await runningStackStatus(folder)
  expect(parts.map(({ name, running }) => [name, running])).toContainEqual(['zipkin', true])
  await stack[Symbol.asyncDispose]()
  expect(await processesNaming(folder)).toEqual([])
})

test('Zipkin is added to a stack that is up, whose other parts stay as they are', async (context) => {
  const folder = newFolder()
  const first = await startDetachedStack({ ...place, with: [], folder })
  expect(first.zipkinUrl).toBeUndefined()
  const before = await runningPids(folder)

  const second = await orSkip(startStack({ ...place, folder }), context)
  expect(second.adopted).toBe(true)
  expect((await fetch(`${second.zipkinUrl}/health`)).status).toBe(200)
  const after = await runningPids(folder)
  expect(after.slice(0, 3)).toEqual(before)
  expect(after).toHaveLength(4)
  // It belongs to the stack now, as whoever comes next finds it.
  await second[Symbol.asyncDispose]()
  expect(await runningPids(folder)).toEqual(after)
  expect(await stopStack(folder)).toBe(4)
})
