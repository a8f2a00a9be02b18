import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { PartitionAggregation } from '@tickertape/candles'
import type { StoredWindowCodec } from '@tickertape/candles'
import { defaultPartitions } from '@tickertape/kafka-avro'
import type { Candle, SequenceGap, StoredWindow } from '@tickertape/market-model'
import { ServiceProcess, TcpProxy, testStack, waitUntil } from '@tickertape/testing'

import { everyGap } from './gap-facts.ts'
import { IngestRun } from './ingest-run.ts'
import { liesOf, tradesOf, truthOf } from './log-facts.ts'
import type { LogRecord } from './log-facts.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

const venue = 'deribit'
const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL']

/** Another replica of a run's feed, whose way to the venue can be shut. */
class OtherReplica implements AsyncDisposable {
  readonly way: TcpProxy
  readonly #run: IngestRun
  #process: ServiceProcess | undefined

  private constructor(run: IngestRun, way: TcpProxy) {
    this.#run = run
    this.way = way
  }

  static async beside(run: IngestRun): Promise<OtherReplica> {
    const way = await TcpProxy.to(`127.0.0.1:${run.simulator.port}`)
    const other = new OtherReplica(run, way)
    other.start()
    return other
  }

  start(): void {
    const { prefix, simulator } = this.#run
    const stack = testStack()
    this.#process = ServiceProcess.start({
      main,
      environment: {
        KAFKA_BROKERS: stack.kafkaBrokers,
        REGISTRY_URL: stack.registryUrl,
        TOPIC_PREFIX: prefix,
        INGEST_VENUE: venue,
        INGEST_INSTRUMENTS: instruments.join(','),
        INGEST_REPLICA_ID: 'b',
        INGEST_WS_URL: simulator.wsUrl(venue).replace(`:${simulator.port}`, `:${this.way.port}`),
        INGEST_REST_URL: simulator.restUrl(venue),
        INGEST_RECONNECT_MAX_MS: '500',
        INGEST_ADMIN_PORT: '0',
      },
    })
  }

  get output(): string {
    return this.#process?.output ?? ''
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#process?.stop(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL')
    await this.way[Symbol.asyncDispose]()
  }
}

/** Since when a replica vouches for every instrument, and up to when, by its latest cursors. */
async function vouched(
  run: IngestRun,
  replicaId: string,
): Promise<{ readonly from: number; readonly upTo: number }> {
  const own = (await run.cursors())
    .map(({ value }) => value)
    .filter((cursor) => cursor.replicaId === replicaId)
  const latest = instruments.map((each) => own.findLast((cursor) => cursor.instrument === each))
  const begun = new Set(latest.map((cursor) => cursor?.vouchesFrom ?? Infinity))
  const upTo = Math.max(...latest.map((cursor) => cursor?.upTo ?? 0))
  return { from: Math.max(...begun), upTo: begun.size === 1 ? upTo : 0 }
}

/** Waits until each replica could stand in for the other from now on. */
async function bothAtWork(run: IngestRun): Promise<void> {
  const bounds = { withinMs: 90_000, everyMs: 200 }
  for (const replica of ['a', 'b']) {
    const begun = async (): Promise<boolean> => (await vouched(run, replica)).from < Infinity
    await waitUntil(`${replica} to vouch for something`, begun, bounds)
  }
  const now = await run.venueTime()
  for (const replica of ['a', 'b']) {
    const reached = async (): Promise<boolean> => (await vouched(run, replica)).upTo >= now
    await waitUntil(`${replica} to vouch for ${now}`, reached, bounds)
  }
}

/** Waits until a replica has a heartbeat that covers a time. */
async function heartbeatOf(run: IngestRun, replicaId: string, time: number): Promise<void> {
  await waitUntil(
    `a heartbeat of ${replicaId} up to ${time}`,
    async () =>
      (await run.records()).some(
        ({ value }) =>
          value.type === 'FeedHeartbeat' &&
          value.value.replicaId === replicaId &&
          value.value.upTo >= time,
      ),
    { withinMs: 90_000, everyMs: 200 },
  )
}

const codec: StoredWindowCodec = {
  encode: (window) => Buffer.from(JSON.stringify(window)),
  // As `encode` has written it; trades with sequences keep no bytes of their ids.
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as StoredWindow,
}

/** What the aggregator makes of the log. */
function candlesOf(records: readonly LogRecord[]): readonly Candle[] {
  return Array.from({ length: defaultPartitions }, (_, partition) => {
    const aggregation = new PartitionAggregation(
      {
        graceMs: 1_000,
        futureToleranceMs: 5_000_000,
        horizonMs: 3_600_000,
        intervals: ['1s', '1m'],
        indicators: [],
      },
      codec,
    )
    return records
      .filter((record) => record.partition === partition)
      .flatMap(({ value }, offset) => aggregation.apply(value, offset).candles)
  }).flat()
}

function qualitiesOf(records: readonly LogRecord[]): ReadonlySet<string> {
  return new Set(candlesOf(records).map(({ quality }) => quality))
}

/** The last word on each gap, of each instrument that has one of its own. */
function standing(records: readonly LogRecord[]): readonly SequenceGap[] {
  const latest = new Map<string, SequenceGap>()
  for (const gap of everyGap(records)) latest.set(`${gap.gapId} ${gap.instrumentId}`, gap)
  return [...latest.values()]
}

async function expectEveryTrade(run: IngestRun, until: number): Promise<void> {
  const records = await run.records()
  for (const instrument of instruments) {
    const truth = truthOf(run.simulator, venue, instrument, until)
    expect(truth.length).toBeGreaterThan(50)
    const delivered = tradesOf(records, instrument).toSorted(
      (one, two) => one.sequence - two.sequence,
    )
    expect(delivered.slice(0, truth.length)).toEqual(truth)
  }
}

describe('of two replicas', () => {
  it('one is cut while the other lives: no gap is told, and every candle is complete', async () => {
    await using run = await IngestRun.open({ venue, instruments })
    await using other = await OtherReplica.beside(run)
    await bothAtWork(run)
    other.way.shut()
    await run.advance(20_000)
    other.way.open()
    const back = await run.venueTime()
    await heartbeatOf(run, 'b', back)
    expect(other.output).toContain('another replica was connected')
    const until = await run.venueTime()
    await run.covered(until)
    await run.stop('SIGTERM')
    await other.stop('SIGTERM')

    const records = await run.records()
    expect(everyGap(records)).toEqual([])
    expect([...qualitiesOf(records)].filter((each) => /gap|backfilled/.test(each))).toEqual([])
    expect(liesOf(records)).toEqual([])
    await expectEveryTrade(run, until)
  })

  it('one is killed and comes back while the other lives: no gap is told', async () => {
    await using run = await IngestRun.open({ venue, instruments })
    await using other = await OtherReplica.beside(run)
    await bothAtWork(run)
    await run.stop('SIGKILL')
    await heartbeatOf(run, 'b', (await run.venueTime()) + 10_000)
    run.start()
    await run.subscribed()
    const back = await run.venueTime()
    await heartbeatOf(run, 'a', back)
    // It can stand in for the other one again.
    await bothAtWork(run)
    await other.stop('SIGKILL')
    await run.advance(5_000)
    other.start()
    await heartbeatOf(run, 'b', await run.venueTime())
    const until = await run.venueTime()
    await run.covered(until)
    await run.stop('SIGTERM')

    const records = await run.records()
    expect(everyGap(records)).toEqual([])
    expect([...qualitiesOf(records)].filter((each) => /gap|backfilled/.test(each))).toEqual([])
    await expectEveryTrade(run, until)
  })

  it('both are cut: each tells of a gap, which is closed, and candles say so', async () => {
    await using run = await IngestRun.open({ venue, instruments })
    await using other = await OtherReplica.beside(run)
    await bothAtWork(run)
    other.way.shut()
    await run.arm('drop')
    const back = await run.venueTime()
    await heartbeatOf(run, 'a', back)
    other.way.open()
    await heartbeatOf(run, 'b', await run.venueTime())
    const until = await run.venueTime()
    await run.covered(until)
    await waitUntil(
      'every gap to be closed',
      async () => standing(await run.records()).every(({ state }) => state === 'backfilled'),
      { withinMs: 60_000, everyMs: 200 },
    )
    await run.stop('SIGTERM')
    await other.stop('SIGTERM')

    const records = await run.records()
    const ofFeed = everyGap(records).filter(({ instrumentId }) => instrumentId === null)
    expect(new Set(ofFeed.map(({ replicaId }) => replicaId))).toEqual(new Set(['a', 'b']))
    expect(ofFeed.every(({ fromTime }) => fromTime <= back)).toBe(true)
    expect(qualitiesOf(records).has('backfilled')).toBe(true)
    expect(liesOf(records)).toEqual([])
    await expectEveryTrade(run, until)
  })
})
