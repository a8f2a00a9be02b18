import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { runningStackStatus, startStack } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'
import { repetitions, waitUntil } from '@tickertape/testing'

import { faultMarket } from './fault-market.ts'
import type { FaultRecord } from './fault-market.ts'
import {
  SinkInstances,
  appendRecords,
  expectExactlyOnce,
  faultSettings,
  recordsDone,
  refusePoison,
} from './fault-run.ts'
import { ask } from './admin-port.ts'
import { seededRandom } from './seeded-random.ts'
import type { Random } from './seeded-random.ts'
import { base, createSinkLog, heartbeat, patiently } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

/** Another one at each run: the moments of the faults differ anyway. */
const seed = Date.now() % 1_000_000

const kills = repetitions({ short: 4, long: 24 })
const outages = repetitions({ short: 1, long: 6 })
const tradesPerFault = repetitions({ short: 4_000, long: 12_000 })

let stack: RunningStack

beforeAll(async () => {
  stack = await startStack({
    folder: mkdtempSync(join(tmpdir(), 'tickertape-sink-faults-')),
    ports: 'free',
    temporary: true,
    onProgress: () => undefined,
  })
})

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
})

interface FaultTest extends AsyncDisposable {
  readonly log: SinkLog
  readonly instances: SinkInstances
  readonly random: Random
}

async function openFaultTest(): Promise<FaultTest> {
  const log = await createSinkLog({ stack })
  await refusePoison(log)
  const instances = SinkInstances.start(log, 2)
  return {
    log,
    instances,
    random: seededRandom(seed),
    [Symbol.asyncDispose]: async () => {
      await instances[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    },
  }
}

/** One part of the log for each fault, which comes while the sinks are somewhere in it. */
async function throughFaults(
  test: FaultTest,
  faults: readonly (() => Promise<void>)[],
): Promise<void> {
  const { log, instances, random } = test
  const records = [...faultMarket(faults.length * tradesPerFault, random)]
  const part = Math.ceil(records.length / faults.length)
  for (const [number, fault] of faults.entries()) {
    const more: readonly FaultRecord[] = records.slice(number * part, (number + 1) * part)
    const before = await recordsDone(log)
    await appendRecords(log, more)
    const moment = before + random.between(1, Math.floor(more.length * 0.8))
    await instances.until(
      `record ${moment} of the log`,
      async () => (await recordsDone(log)) >= moment,
      5,
    )
    await fault()
  }
}

describe(`two instances, seed ${seed}`, () => {
  it(`${kills} times kill -9 at any moment: every row is there once`, async () => {
    await using test = await openFaultTest()
    const { instances, random } = test
    const kinds = [
      () => instances.kill(random.between(0, 2)),
      () => instances.kill(0, 1),
      async () => {
        await instances.kill(0)
        // In the middle of the rebalance that the first one's successor brings about.
        await waitUntil('the successor to start', () => instances.at(0).output !== '')
        await instances.kill(1)
      },
    ]
    // Three kinds kill five instances.
    const faults = Array.from(
      { length: Math.ceil((kills * kinds.length) / 5) },
      (_, number) => kinds[number % kinds.length] ?? kinds[0],
    )
    await throughFaults(
      test,
      faults.flatMap((fault) => (fault === undefined ? [] : [fault])),
    )
    await expectExactlyOnce(test.log, instances)
  })

  it('PostgreSQL stopped at once and started again: the sinks go on by themselves', async () => {
    await using test = await openFaultTest()
    const { instances } = test
    for (const index of [0, 1]) await ask(instances.at(index), '/readyz')
    const restart = async (): Promise<void> => {
      const { parts } = await runningStackStatus(stack.folder)
      const postgres = parts.find(({ name }) => name === 'postgres')
      if (postgres === undefined) throw new Error('The stack has no PostgreSQL')
      // SIGQUIT is its immediate shutdown: no checkpoint, and every connection is cut.
      process.kill(postgres.pid, 'SIGQUIT')
      try {
        // They may have been at the end of the log: only who has something to write misses a database.
        await test.log.appendEvents([heartbeat(base)])
        await waitUntil('one of them to say that it is away', async () => {
          const answers = await readinessOf(instances)
          return answers.some((answer) => answer.includes('database is not available'))
        })
      } finally {
        await stack.killAndRestart('postgres')
      }
    }
    await throughFaults(test, Array(outages).fill(restart))
    await expectExactlyOnce(test.log, test.instances)
  })

  it('the broker killed and started again: the sinks go on by themselves', async () => {
    await using test = await openFaultTest()
    await throughFaults(
      test,
      Array(outages).fill(() => stack.killAndRestart('kafka')),
    )
    await expectExactlyOnce(test.log, test.instances)
  })
})

function readinessOf(instances: SinkInstances): Promise<readonly string[]> {
  return Promise.all([0, 1].map((index) => ask(instances.at(index), '/readyz')))
}

describe(`an owner that was frozen, seed ${seed}`, () => {
  it('in the middle of a transaction, and wakes up when another has its partitions: its commit fails, and it joins again', async () => {
    await using log = await createSinkLog({ stack })
    await refusePoison(log)
    const random = seededRandom(seed)
    const records = [...faultMarket(tradesPerFault, random)]
    const half = Math.floor(records.length / 2)
    await using zombie = SinkInstances.start(log, 1, faultSettings)
    await appendRecords(log, records.slice(0, half))
    await zombie.until('progress', async () => (await recordsDone(log)) > half / 4, 5)

    const { pid } = zombie.at(0)
    if (pid === undefined) throw new Error('The sink has no process')
    await log.database.transaction(async (transaction) => {
      await transaction.query(patiently)
      await transaction.query('lock table trades in share mode')
      await appendRecords(log, records.slice(half))
      await waitUntil('its batch to wait', async () => {
        const { count } = await log.database.query(
          `select from pg_stat_activity where application_name = 'pg-sink'
            and datname = current_database() and wait_event_type = 'Lock'`,
        )
        return count > 0
      })
      process.kill(pid, 'SIGSTOP')
    })
    await using successor = SinkInstances.start(log, 1, faultSettings)
    await expectExactlyOnce(log, successor)

    const reached = await recordsDone(log)
    process.kill(pid, 'SIGCONT')
    const sink = zombie.at(0)
    await waitUntil('it to notice', () =>
      /has taken over|"lost":true/.test(sink.output.slice(-20_000)),
    )
    // A commit of its own would have set the offsets back to where it stood.
    expect(await recordsDone(log)).toBeGreaterThanOrEqual(reached)
    await appendRecords(log, [...faultMarket(500, random)])
    await expectExactlyOnce(log, successor)
    expect(sink.running, sink.output).toBe(true)
  })
})
