import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { ObservedSystem } from './observed-system.ts'
import { missingPrometheus } from './prometheus.ts'
import type { ActiveAlert } from './prometheus.ts'

const missing = await missingPrometheus()
/** A slow machine on which others work as well. */
const patience = { withinMs: 180_000, everyMs: 250 }

describe.skipIf(missing !== undefined)(
  `the running system${missing === undefined ? '' : `: ${missing}`}`,
  { timeout: 600_000 },
  () => {
    let system: ObservedSystem

    beforeAll(async () => {
      system = await ObservedSystem.open()
    }, 300_000)
    afterAll(async () => system?.[Symbol.asyncDispose]())

    async function firing(name: string, labels: Readonly<Record<string, string>>) {
      const alerts = await system.prometheus.alerts()
      return alerts.find(
        (alert) =>
          alert.state === 'firing' &&
          alert.labels['alertname'] === name &&
          Object.entries(labels).every(([label, value]) => alert.labels[label] === value),
      )
    }

    async function expectFires(
      name: string,
      labels: Readonly<Record<string, string>> = {},
    ): Promise<void> {
      const alert = await told(`${name} to fire`, () => firing(name, labels))
      expectReadable(alert)
    }

    async function expectClears(
      name: string,
      labels: Readonly<Record<string, string>> = {},
    ): Promise<void> {
      await told(`${name} to clear`, async () => (await firing(name, labels)) === undefined)
    }

    async function told<T>(what: string, condition: () => Promise<T | undefined | false>) {
      try {
        return await waitUntil(what, condition, patience)
      } catch (error) {
        throw new Error(system.output, { cause: error })
      }
    }

    it('FeedDead fires when the venue is gone, and clears when it is back', async () => {
      await expectClears('FeedDead')
      await system.killVenue()
      await expectFires('FeedDead', { venue: 'deribit' })
      await system.restartVenue()
      await expectClears('FeedDead')
    })

    it('ServiceDown and NothingStored fire when the sink stands still, and clear when it goes on', async () => {
      await expectClears('ServiceDown')
      await expectClears('NothingStored')
      system.signal('pg-sink', 'SIGSTOP')
      await expectFires('ServiceDown', { job: 'pg-sink' })
      await expectFires('NothingStored')
      system.signal('pg-sink', 'SIGCONT')
      await expectClears('ServiceDown')
      await expectClears('NothingStored')
    })

    it('ServiceDown fires when the sink is killed, and clears when it is started again', async () => {
      await system.road.process('pg-sink').stop('SIGKILL')
      await expectFires('ServiceDown', { job: 'pg-sink' })
      system.road.start('pg-sink')
      await expectClears('ServiceDown')
    })

    it('GapOpenTooLong fires when the history does not answer, and clears when it does', async () => {
      await expectClears('GapOpenTooLong')
      system.history.shut()
      await system.fault('skip', { venue: 'deribit', instrument: 'BTC-PERPETUAL', count: 3 })
      await expectFires('GapOpenTooLong', { venue: 'deribit' })
      system.history.open()
      await expectClears('GapOpenTooLong')
    })
  },
)

/** Its texts have come out of their templates whole, and lead to the runbook. */
function expectReadable({ labels, annotations }: ActiveAlert): void {
  const { summary, description, runbook_url: link } = annotations
  for (const text of [summary, description]) {
    expect(text).toMatch(/^\S.*\S$/)
    expect(text).not.toMatch(/<no value>|<error|\{\{|NaN|%!/)
  }
  expect(link).toBe(`docs/runbook.md#${labels['alertname']?.toLowerCase()}`)
}
