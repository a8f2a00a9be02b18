import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ensureTopics } from '@tickertape/kafka-avro'
import { ServiceProcess, testStack, uniquePrefix } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { IngestRun, marketStart } from './ingest-run.ts'
import { duplicatesOf, liesOf, tradesOf, truthOf } from './log-facts.ts'
import { RecordTail } from './topic-tail.ts'

const main = fileURLToPath(new URL('../src/import-main.ts', import.meta.url))

const markets = [
  { venue: 'deribit', instrument: 'BTC-PERPETUAL' },
  { venue: 'binance', instrument: 'BTCUSDT' },
] as const

type Market = (typeof markets)[number]

/** An import into topics of its own, or into those of an earlier one. */
async function runImport(
  { venue, instrument }: Market,
  run: IngestRun,
  range: readonly string[],
  into = uniquePrefix(),
) {
  const { kafkaBrokers, registryUrl } = testStack()
  await ensureTopics({ connection: { brokers: kafkaBrokers }, prefix: into })
  const { deribitRestUrl, binanceRestUrl } = run.simulator
  await using importing = ServiceProcess.start({
    main,
    arguments: ['--venue', venue, '--instrument', instrument, ...range],
    environment: {
      KAFKA_BROKERS: kafkaBrokers,
      REGISTRY_URL: registryUrl,
      TOPIC_PREFIX: into,
      INGEST_REST_URL: venue === 'deribit' ? deribitRestUrl : binanceRestUrl,
    },
  })
  const code = await importing.exited()
  return { code, output: importing.output, prefix: into }
}

it.concurrent.each(markets)(
  "$venue's history of a range stands in the log, once, and heartbeats close its windows",
  async (market) => {
    const { venue, instrument } = market
    await using run = await IngestRun.open({ venue, instruments: [instrument] })
    await run.advance(30_000)
    const [from, to] = [marketStart + 5_000, marketStart + 20_000]
    const range = ['--from', String(from), '--to', String(to)]
    const first = await runImport(market, run, range)
    expect(first.code, first.output).toBe(0)

    // What closes the last window may come behind it.
    const inRange = ({ eventTime }: { readonly eventTime: number }) =>
      eventTime >= from && eventTime < to
    const truth = truthOf(run.simulator, venue, instrument, to - 1).filter(inRange)
    expect(truth.length).toBeGreaterThan(10)
    const records = await new RecordTail('market-events', first.prefix).read()
    expect(tradesOf(records, instrument).filter(inRange)).toEqual(truth)
    expect(liesOf(records)).toEqual([])
    const beats = records.flatMap(({ partition, value }) =>
      value.type === 'FeedHeartbeat' && value.value.upTo >= to + 1_000 ? [partition] : [],
    )
    expect(new Set(beats).size).toBe(4)
    const feeds = new Set(
      records.flatMap(({ value }) => ('feedId' in value.value ? [value.value.feedId] : [])),
    )
    expect([...feeds]).toEqual([expect.stringContaining(`import/${venue}/${instrument}/history/`)])

    const again = await runImport(market, run, range, first.prefix)
    expect(again.code, again.output).toBe(0)
    expect(again.output).toContain('going on behind')
    expect(duplicatesOf(await new RecordTail('market-events', first.prefix).read()).count).toBe(0)
  },
)

it.concurrent.for(markets)(
  'a recording of $venue stands in the log as it was read live',
  async (market, { onTestFinished }) => {
    const { venue, instrument } = market
    const folder = await mkdtemp(join(tmpdir(), 'tickertape-import-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await using run = await IngestRun.open({
      venue,
      instruments: [instrument],
      settings: { INGEST_RECORD_FOLDER: folder },
    })
    await run.advance(10_000)
    expect(await run.stop('SIGTERM'), run.output).toBe(0)
    const [name = ''] = await readdir(folder)
    const imported = await runImport(market, run, ['--file', join(folder, name)])
    expect(imported.code, imported.output).toBe(0)
    const live = tradesOf(await run.records(), instrument)
    expect(live.length).toBeGreaterThan(10)
    const records = await new RecordTail('market-events', imported.prefix).read()
    expect(tradesOf(records, instrument)).toEqual(live)
    expect(duplicatesOf(records).count).toBe(0)
  },
)

it.concurrent('says what cannot be imported, and how it can be asked for', async () => {
  const [market] = markets
  await using run = await IngestRun.open({ venue: market.venue, instruments: [market.instrument] })
  const untimed = await runImport(market, run, [])
  expect(untimed.code).toBe(1)
  expect(untimed.output).toContain('--from is missing. Usage: npm run import -- --venue')
  const noFile = await runImport(market, run, ['--file', '/nowhere/recording.jsonl.gz'])
  expect(noFile.code).toBe(1)
  expect(noFile.output).toContain('The recording /nowhere/recording.jsonl.gz cannot be read')
})
