import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import {
  alertExpressions,
  panelExpressions,
  recordedExpressions,
  runbookExpressions,
  seriesIn,
} from '../src/index.ts'
import type { Expression } from '../src/index.ts'
import { reasonToBeMissing } from './missing-series.ts'
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

    it('gives data to every panel and every recording rule', async () => {
      await tellTheRareThings()
      await expectData([...panelExpressions(), ...recordedExpressions()], ({ text }) => text)
    })

    it('has the series that every alert reads', async () => {
      const series = alertExpressions().flatMap((expression) =>
        seriesIn(expression).map((text) => ({ where: expression.where, text })),
      )
      await expectData(series, ({ text }) => `count(${text})`)
    })

    it('can be asked what the runbook asks, and evaluates every rule', async () => {
      for (const { text } of runbookExpressions()) await system.prometheus.query(text)
      expect(await system.prometheus.ruleErrors()).toEqual([])
    })

    /** What happens now and then on a system that is well: a frame that is none, a hole, a lost connection. */
    async function tellTheRareThings(): Promise<void> {
      await system.fault('malformed', { count: 1 })
      await system.fault('skip', { venue: 'deribit', instrument: 'BTC-PERPETUAL', count: 3 })
      await told('the hole', async () => {
        return (await system.prometheus.query('ingest_holes_total')).length > 0
      })
      await system.fault('drop', {})
    }

    /** Waits for each expression to give something; those that read what may be missing need not. */
    async function expectData(
      expressions: readonly Expression[],
      query: (expression: Expression) => string,
    ): Promise<void> {
      const missed: string[] = []
      let left = expressions
      await waitUntil(
        'data for every expression',
        async () => {
          const answers = await Promise.all(
            left.map((expression) => system.prometheus.query(query(expression))),
          )
          left = left.filter(
            (_, index) => !answers[index]?.some(({ value }) => !Number.isNaN(value)),
          )
          left = left.filter((expression) => !seriesIn(expression).some(reasonToBeMissing))
          return left.length === 0
        },
        patience,
      ).catch(() => missed.push(...left.map(({ where, text }) => `${where}: ${text}`)))
      expect(missed, system.output).toEqual([])
    }

    it('FeedDead fires when the venue is gone, and clears when it is back', async () => {
      await expectClears('FeedDead')
      await system.killVenue()
      await expectFires('FeedDead', { venue: 'deribit' })
      await system.restartVenue()
      await expectClears('FeedDead')
    })

    it('ServiceDown and NothingStored fire when the sink stands still, and clear when it goes on', async () => {
      await expectClears('ServiceDown', { job: 'pg-sink' })
      await expectClears('NothingStored')
      system.signal('pg-sink', 'SIGSTOP')
      await expectFires('ServiceDown', { job: 'pg-sink' })
      await expectFires('NothingStored')
      system.signal('pg-sink', 'SIGCONT')
      await expectClears('ServiceDown', { job: 'pg-sink' })
      await expectClears('NothingStored')
    })

    it('ServiceDown fires when the sink is killed, and clears when it is started again', async () => {
      await system.road.process('pg-sink').stop('SIGKILL')
      await expectFires('ServiceDown', { job: 'pg-sink' })
      system.road.start('pg-sink')
      await expectClears('ServiceDown', { job: 'pg-sink' })
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
