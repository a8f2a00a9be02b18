import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureTopics, requireTopics } from '@tickertape/kafka-avro'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  resetStack,
  runningStackStatus,
  startDetachedStack,
  startStack,
  stopStack,
  StackProblem,
  type RunningStack,
} from '../src/index.ts'
import { brokersIn } from '../src/kafka-metadata.ts'
import { ended, eventually, isOpen, processesNaming, runningPids, runStarter } from './observed.ts'

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

const onProgress = () => undefined
const candle = { type: 'record', name: 'Candle', fields: [{ name: 'open', type: 'long' }] }
const incompatible = { type: 'record', name: 'Candle', fields: [{ name: 'close', type: 'long' }] }

async function register(stack: RunningStack, schema: object): Promise<number> {
  const response = await fetch(`${stack.registryUrl}/subjects/candles-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  })
  await response.body?.cancel()
  return response.status
}

async function query(stack: RunningStack, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: stack.databaseUrl })
  await client.connect()
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

function portOf(hostAndPort: string): number {
  return Number(hostAndPort.split(':').at(-1))
}

async function openPorts(stack: RunningStack): Promise<boolean[]> {
  const ports = [
    portOf(stack.kafkaBrokers),
    Number(new URL(stack.registryUrl).port),
    Number(new URL(stack.databaseUrl).port),
  ]
  return Promise.all(ports.map(isOpen))
}

describe('a stack on free ports', () => {
  const folder = newFolder()
  let stack: RunningStack

  beforeAll(async () => {
    stack = await startStack({ folder, ports: 'free', onProgress })
  })

  test('has a Kafka node that knows itself and makes topics', async () => {
    const port = portOf(stack.kafkaBrokers)
    const brokers = await brokersIn({ host: '127.0.0.1', port, timeoutMs: 5_000 })
    expect(brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port }])
    await ensureTopics({
      connection: { brokers: stack.kafkaBrokers },
      prefix: 'kept-',
      partitions: 3,
    })
  })

  test('has a registry that refuses an incompatible schema', async () => {
    expect(await register(stack, candle)).toBe(200)
    expect(await register(stack, incompatible)).toBe(409)
  })

  test('has a database that the services own, with commit timestamps', async () => {
    await query(stack, 'create table kept (id int primary key)')
    await query(stack, 'insert into kept values (42)')
    const { rows } = await query(
      stack,
      `select current_setting('track_commit_timestamp') as "commitTimestamps",
              current_setting('is_superuser') as "isSuperuser",
              pg_get_userbyid(datdba) as owner
         from pg_database where datname = current_database()`,
    )
    expect(rows).toEqual([{ commitTimestamps: 'on', isSuperuser: 'off', owner: 'tickertape' }])
  })

  test('keeps its topics and its address when a part is killed and restarted', async () => {
    const before = await runningStackStatus(folder)
    await stack.killAndRestart('kafka')
    expect(await requireTopics({ brokers: stack.kafkaBrokers }, 'kept-', ['market-events'])).toBe(3)
    const after = await runningStackStatus(folder)
    const pids = after.parts.map(({ pid }, index) => pid === before.parts[index]?.pid)
    expect(pids).toEqual([false, true, true])
  })

  test('is on record with three running processes', async () => {
    const status = await runningStackStatus(folder)
    expect(status.mode).toBe('attached')
    expect(status.parts.map(({ name, running }) => [name, running])).toEqual([
      ['kafka', true],
      ['registry', true],
      ['postgres', true],
    ])
  })

  test('is not started or stopped by others while its starter lives', async () => {
    const inUse = { code: 'in-use', message: expect.stringContaining(String(process.pid)) }
    await expect(startStack({ folder, ports: 'free', onProgress })).rejects.toMatchObject(inUse)
    await expect(stopStack(folder)).rejects.toMatchObject(inUse)
    await expect(resetStack(folder)).rejects.toMatchObject(inUse)
    expect(await runningPids(folder)).toHaveLength(3)
  })

  test('leaves no process and no open port when it is disposed of, and keeps its data', async () => {
    await stack[Symbol.asyncDispose]()
    expect(await openPorts(stack)).toEqual([false, false, false])
    expect(await processesNaming(folder)).toEqual([])

    await using again = await startStack({ folder, ports: 'free', onProgress })
    expect((await query(again, 'select id from kept')).rows).toEqual([{ id: 42 }])
    expect(await register(again, incompatible)).toBe(409)
    expect(await requireTopics({ brokers: again.kafkaBrokers }, 'kept-', ['candles'])).toBe(3)
  })

  test('loses its data by a reset alone', async () => {
    await resetStack(folder)
    expect(existsSync(join(folder, 'postgres'))).toBe(false)
    expect(existsSync(join(folder, 'kafka'))).toBe(false)
    expect(existsSync(join(folder, 'registry'))).toBe(false)
  })
})

describe('a stack that is to outlive its starter', () => {
  const folder = newFolder()

  test('is used as it is by the next start, and by disposing of that one not stopped', async () => {
    const first = await startDetachedStack({ folder, ports: 'free', onProgress })
    await first[Symbol.asyncDispose]()
    const pids = await runningPids(folder)
    expect(pids).toHaveLength(3)

    const second = await startStack({ folder, ports: 'free', onProgress })
    expect(second.adopted).toBe(true)
    await expect(second.killAndRestart('kafka')).rejects.toMatchObject({ code: 'in-use' })
    expect(second.databaseUrl).toBe(first.databaseUrl)
    await second[Symbol.asyncDispose]()
    expect(await runningPids(folder)).toEqual(pids)
  })

  test('is cleared and started anew when one of its processes died', async () => {
    const [kafka] = (await runningStackStatus(folder)).parts
    process.kill(kafka?.pid ?? 0, 'SIGKILL')
    await eventually('Kafka is dead', async () => (await runningPids(folder)).length === 2)

    const lines: string[] = []
    await using again = await startStack({
      folder,
      ports: 'free',
      onProgress: (line) => lines.push(line),
    })
    expect(again.adopted).toBe(false)
    expect(lines).toContain('Stopped 2 processes of an earlier run')
    expect(await runningPids(folder)).toHaveLength(3)
  })
})

describe('a starter that is killed with SIGKILL', () => {
  test('leaves nothing behind, neither processes nor the folder of a temporary stack', async () => {
    const folder = newFolder()
    const starter = runStarter(folder, 'temporary')
    await eventually('the stack is up', () => starter.lines.includes('up'))
    expect(await runningPids(folder)).toHaveLength(3)
    starter.process.kill('SIGKILL')
    await eventually('no process is left', async () => (await processesNaming(folder)).length === 0)
    expect(existsSync(folder)).toBe(false)
  })

  test('leaves nothing behind when it is killed in the middle of the start', async () => {
    const folder = newFolder()
    const starter = runStarter(folder, 'temporary')
    await eventually('a part runs', async () => (await runningPids(folder)).length > 0)
    starter.process.kill('SIGKILL')
    await eventually('no process is left', async () => (await processesNaming(folder)).length === 0)
    expect(existsSync(folder)).toBe(false)
  })

  test('together with its watchdog leaves processes that the next start clears', async () => {
    const folder = newFolder()
    const starter = runStarter(folder, 'kept')
    await eventually('the stack is up', () => starter.lines.includes('up'))
    const left = await runningPids(folder)
    const watchdog = (await processesNaming(folder)).find((line) => line.includes('watchdog.ts'))
    const watchdogPid = Number(/^\S+\s+(\d+)/.exec(watchdog ?? '')?.[1])
    process.kill(watchdogPid, 'SIGKILL')
    starter.process.kill('SIGKILL')
    await ended(starter.process)
    expect(await runningPids(folder)).toEqual(left)

    const next = await startStack({ folder, ports: 'free', onProgress })
    const now = await runningPids(folder)
    expect(now).toHaveLength(3)
    expect(now.filter((pid) => left.includes(pid))).toEqual([])
    await next[Symbol.asyncDispose]()
    expect(await processesNaming(folder)).toEqual([])
  })
})

test('two starts at once in one folder make one stack', async () => {
  const folder = newFolder()
  const start = () => startDetachedStack({ folder, ports: 'free', onProgress })
  const [one, other] = await Promise.all([start(), start()])
  expect(new Set([one.adopted, other.adopted])).toEqual(new Set([false, true]))
  expect(other.databaseUrl).toBe(one.databaseUrl)
  expect(await stopStack(folder)).toBe(3)
  expect(await processesNaming(folder)).toEqual([])
})

test('a start that is cancelled stops what it started', async () => {
  const folder = newFolder()
  const cancelling = new AbortController()
  const starting = startStack({
    folder,
    ports: 'free',
    onProgress,
    signal: cancelling.signal,
  }).catch((error: unknown) => error)
  await eventually('a part runs', async () => (await runningPids(folder)).length > 0)
  cancelling.abort()
  expect(await starting).toMatchObject({ name: 'StackProblem', code: 'cancelled' })
  expect(await processesNaming(folder)).toEqual([])
})

test('a taken port is named, with what it is for, and nothing is started', async () => {
  const folder = newFolder()
  // Where a stack is up on this machine already, the port is taken without this.
  const listener = createServer()
  const settled = Promise.withResolvers<void>()
  listener.once('error', () => settled.resolve())
  listener.listen(19_092, '127.0.0.1', () => settled.resolve())
  await settled.promise
  try {
    const problem = await startStack({ folder, ports: 'default', onProgress }).catch(
      (error: unknown) => error,
    )
    expect(problem).toBeInstanceOf(StackProblem)
    expect(problem).toMatchObject({
      code: 'port-taken',
      message: expect.stringMatching(/^Port 19092 on 127\.0\.0\.1, which Kafka needs, is taken/),
    })
    expect(await runningPids(folder)).toEqual([])
  } finally {
    listener.close()
  }
})

test('a part that stops while starting is named, with the end of its log', async () => {
  const folder = newFolder()
  const first = await startStack({ folder, ports: 'free', onProgress })
  await first[Symbol.asyncDispose]()
  rmSync(join(folder, 'kafka', 'data', 'meta.properties'))

  const start = startStack({ folder, ports: 'free', onProgress })
  await expect(start).rejects.toMatchObject({
    code: 'part-stopped',
    message: expect.stringMatching(
      /Apache Kafka \S+ stopped while it was starting \(exit code 1\).*kafka\.log:\n.*meta\.properties/s,
    ),
  })
  expect(await processesNaming(folder)).toEqual([])
})
