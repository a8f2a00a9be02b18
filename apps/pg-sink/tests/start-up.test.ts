import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { ask } from './admin-port.ts'
import { SinkInstances, appendRecords, expectExactlyOnce } from './fault-run.ts'
import { faultMarket, isPoison } from './fault-market.ts'
import { seededRandom } from './seeded-random.ts'
import { createSinkLog } from './sink-log.ts'

it('instances that start at once on an empty database migrate it once, and share the log', async () => {
  await using log = await createSinkLog({ migrated: false })
  // Without the constraint that refuses them, trades of the name poison are like any other.
  const records = [...faultMarket(1_000, seededRandom(7))].filter((record) => !isPoison(record))
  await appendRecords(log, records)
  await using sinks = SinkInstances.start(log, 3)
  await waitUntil('all to be ready', async () => {
    const answers = await Promise.all([0, 1, 2].map((index) => ask(sinks.at(index), '/readyz')))
    return answers.every((answer) => answer.includes('"ready":true'))
  })
  await expectExactlyOnce(log, sinks)
  const { rows } = await log.database.query<{ number: number }>(
    'select number from schema_migrations order by number',
  )
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index))
  const migrating = [0, 1, 2].filter((index) =>
    sinks.at(index).output.includes('"msg":"database migrated"'),
  )
  expect(migrating).toHaveLength(1)
})
