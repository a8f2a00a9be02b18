import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Topic } from '@tickertape/kafka-avro'
import { waitUntil } from '@tickertape/testing'

import { ask } from './admin-port.ts'
import { SinkInstances, expectExactlyOnce, faultSettings } from './fault-run.ts'
import { base, candle, createSinkLog, trades } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

interface TableFault {
  readonly name: string
  readonly topic: 'market-events' | 'candles'
  readonly inflict: string
  readonly mend: string
  /** What readiness says of it. */
  readonly told: RegExp
}

/** PostgreSQL names the class of the error, whoever raises it: the sink sees what a full disk gives. */
const diskFull = `
  create function disk_full() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end
  $$;
  create trigger disk_full before insert on trades for each row execute function disk_full();`

const faults: readonly TableFault[] = [
  {
    name: 'a full disk',
    topic: 'market-events',
    inflict: diskFull,
    mend: 'drop function disk_full cascade',
    told: /No space left on device/,
  },
  {
    name: 'a permission that is taken away',
    topic: 'market-events',
    inflict: 'revoke insert on trades from current_user',
    mend: 'grant insert on trades to current_user',
    told: /permission denied for table trades/,
  },
  {
    name: 'a column that is gone',
    topic: 'market-events',
    inflict: 'alter table trades rename column taker_side to taker_side_away',
    mend: 'alter table trades rename column taker_side_away to taker_side',
    told: /taker_side/,
  },
  {
    // The bytes of COPY fit no column of these types: as a value out of range it is told of as an error of data, and
    // what is stored fits, for it was altered too. Every record would have gone to `rejected`.
    name: 'columns that were altered to other types',
    topic: 'market-events',
    inflict: `drop view current_trades; alter table trades
      alter column price type double precision, alter column sequence type integer`,
    mend: 'alter table trades alter column price type numeric, alter column sequence type bigint',
    told: /incorrect binary data format/,
  },
  {
    name: 'a column that somebody has added and that must not be null',
    topic: 'market-events',
    inflict: `alter table trades add column desk text not null default 'a'; alter table trades alter column desk drop default`,
    mend: 'alter table trades drop column desk',
    told: /column .*desk/,
  },
  {
    // PostgreSQL tells of it as of any row that breaks a rule: every record would have gone to `rejected`.
    name: 'a check that somebody has added and that no row passes',
    topic: 'market-events',
    inflict: 'alter table trades add constraint wrong_way_round check (price < 0) not valid',
    mend: 'alter table trades drop constraint wrong_way_round',
    told: /wrong_way_round/,
  },
  {
    name: 'a foreign key to a table that is still empty',
    topic: 'candles',
    inflict: `create table desks (id text primary key);
      alter table candles add constraint of_a_desk foreign key (instrument_id) references desks not valid`,
    mend: 'drop table desks cascade',
    told: /of_a_desk/,
  },
  {
    name: 'a table that is gone',
    topic: 'candles',
    inflict: 'alter table candles rename to candles_away',
    mend: 'alter table candles_away rename to candles',
    told: /candles/,
  },
  {
    name: 'a database that was made read-only, as a primary that is demoted',
    topic: 'market-events',
    inflict: `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
    mend: `do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$`,
    told: /read-only/,
  },
]

const tradesInPart = 500
const candlesInPart = 25

/** A piece of the log, each with trades and candles of its own. */
async function appendPart(log: SinkLog, part: number): Promise<void> {
  await log.appendEvents(trades(part * tradesInPart, (part + 1) * tradesInPart))
  await log.appendCandles(
    Array.from({ length: candlesInPart }, (_, number) =>
      candle({ windowStart: base + (part * candlesInPart + number) * 1_000 }),
    ),
  )
}

/** A running sink has its connections: what it is to meet comes with new ones. */
async function endConnections({ database }: SinkLog): Promise<void> {
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'pg-sink' and datname = current_database()`,
  )
}

describe('a table that is broken', () => {
  // One sink meets them all, one after the other.
  let log: SinkLog
  let sinks: SinkInstances
  let parts = 0

  beforeAll(async () => {
    log = await createSinkLog()
    sinks = SinkInstances.start(log, 1)
    await appendPart(log, parts)
    await expectExactlyOnce(log, sinks)
  })

  afterAll(async () => {
    await sinks?.[Symbol.asyncDispose]()
    await log?.[Symbol.asyncDispose]()
  })

  it.each(faults)(
    '$name: the sink waits and says why, drops nothing, and goes on when it is mended',
    async ({ topic, inflict, mend, told }) => {
      await log.database.query(inflict)
      await endConnections(log)
      const before = await sinkOffsets(log, topic)
      parts += 1
      await appendPart(log, parts)
      await waitUntil('readiness to tell', async () => told.test(await ask(sinks.at(0), '/readyz')))
      const { count } = await log.database.query('select from rejected')
      expect(count).toBe(0)
      expect(await sinkOffsets(log, topic)).toEqual(before)

      await log.database.transaction((own) => own.query(mend), 'begin read write')
      await expectExactlyOnce(log, sinks)
      await waitUntil('ready', async () => (await ask(sinks.at(0), '/readyz')).includes('true'))
    },
  )
})

/**
 * Stores one part, ends the sink, breaks the table, and starts a sink that finds records to be refused.
 *
 * @returns how many are in `rejected` while it waits, and when the table is mended and all is stored.
 */
async function rejectedUnder(
  inflict: string,
  mend: string,
  append: (log: SinkLog) => Promise<void>,
): Promise<readonly number[]> {
  await using log = await createSinkLog()
  await appendPart(log, 0)
  {
    await using sinks = SinkInstances.start(log, 1)
    await expectExactlyOnce(log, sinks)
  }
  await log.database.query(inflict)
  await append(log)
  await using sinks = SinkInstances.start(log, 1)
  await untilRuleIsTold(sinks)
  const waiting = await log.database.query('select from rejected')
  await log.database.query(mend)
  await expectExactlyOnce(log, sinks)
  const mended = await log.database.query('select from rejected')
  return [waiting.count, mended.count]
}

async function untilRuleIsTold(sinks: SinkInstances): Promise<void> {
  await waitUntil('readiness to tell', async () =>
    (await ask(sinks.at(0), '/readyz')).includes('somebodys_rule'),
  )
}

describe('a rule that no new row keeps', () => {
  it('and all stored rows do: the sink waits', async () => {
    // Stored rows were asked first, and one that fits ended the question: each new record went to `rejected`.
    const counts = await rejectedUnder(
      `do $$ begin
        execute format(
          'alter table trades add constraint somebodys_rule check (event_time <= %L)',
          (select max(event_time) from trades)
        );
      end $$`,
      'alter table trades drop constraint somebodys_rule',
      (log) => appendPart(log, 1),
    )
    expect(counts).toEqual([0, 0])
  })

  it('nor any stored one, in a batch of few records, where the sink may not delete: it waits', async () => {
    // The missing right was taken for an answer: that the table takes what it holds.
    const counts = await rejectedUnder(
      `revoke delete on trades from current_user;
        alter table trades add constraint somebodys_rule check (price < 0) not valid`,
      `alter table trades drop constraint somebodys_rule;
        grant delete on trades to current_user`,
      (log) => log.appendEvents(trades(tradesInPart + 1, tradesInPart + 4)),
    )
    expect(counts).toEqual([0, 0])
  })

  it('in a table that is still empty: the sink waits where the batch has ten', async () => {
    // An empty table was no evidence, and the other records of the batch were not asked.
    await using log = await createSinkLog()
    await log.database.query(
      'alter table trades add constraint somebodys_rule check (price < 0) not valid',
    )
    await appendPart(log, 0)
    await using sinks = SinkInstances.start(log, 1)
    await untilRuleIsTold(sinks)
    await log.database.query('alter table trades drop constraint somebodys_rule')
    await expectExactlyOnce(log, sinks)
  })
})

describe('a table that stays broken', () => {
  it('PG_SINK_MAX_RETRIES: past it the sink stops with the reason, and the next one loses nothing', async () => {
    await using log = await createSinkLog()
    await log.database.query('revoke insert on trades from current_user')
    await appendPart(log, 0)
    await using sink = log.startSink({ ...faultSettings, PG_SINK_MAX_RETRIES: '3' })
    expect(await sink.exited(), sink.output).toBe(1)
    expect(sink.output).toContain('permission denied for table trades')
    await log.database.query('grant insert on trades to current_user')
    await using sinks = SinkInstances.start(log, 1)
    await expectExactlyOnce(log, sinks)
  })
})

describe('a partition of trades that is dropped behind the sink’s back', () => {
  it('is made again for the next trade of its day, and no row is refused', async () => {
    // Retention drops days, on whichever instance has the lowest; others may know them as present.
    await using log = await createSinkLog()
    const settings = { ...faultSettings, PG_SINK_MAX_RETRIES: '0' }
    await using sinks = SinkInstances.start(log, 1, settings)
    await appendPart(log, 0)
    await expectExactlyOnce(log, sinks)
    await log.database.query('drop table trades_20260105')
    await appendPart(log, 1)
    await sinks.until('the second part', async () => {
      const { count } = await log.database.query('select from trades')
      return count === tradesInPart
    })
    const { count } = await log.database.query('select from rejected')
    expect(count).toBe(0)
  })
})

async function sinkOffsets(log: SinkLog, topic: Topic): Promise<readonly unknown[]> {
  const { rows } = await log.database.query({
    text: 'select partition, next_offset from sink_offsets where topic = $1 order by partition',
    values: [log.topic(topic)],
  })
  return rows
}
