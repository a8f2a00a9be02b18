import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  pgView,
  primaryKey,
  text,
  timestamp,
  unique,
} from 'drizzle-orm/pg-core'

/**
 * Every table of the database. The migrations derive from this file, and so do the bulk statements: a
 * column is described once. After a change: `npx drizzle-kit generate --name <what-changes>` in this
 * lib, then `node generate-migrations.ts`.
 *
 * Prices, quantities and sums are `numeric` without a scale: exact at any size, text in JavaScript.
 * Times are event times unless said otherwise, to the millisecond.
 */

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

function time(name: string) {
  return timestamp(name, { withTimezone: true, precision: 3 })
}

/** A count, a sequence or an offset: venues and Kafka stay far below 2^53. */
function whole(name: string) {
  return bigint(name, { mode: 'number' })
}

/**
 * One row for each identity (instrument, trade id, version) and event time: the first such record in the
 * log. A second event time of an identity is a record that the aggregator rejects; `currentTrades` leaves
 * it out.
 *
 * Partitioned by `event_time`, one partition for each UTC day: see `ensureTradePartitions`. A unique key has
 * to hold the time therefore.
 */
export const trades = pgTable('trades', tradeColumns(), (table) => [
  primaryKey({
    columns: [table.instrumentId, table.tradeId, table.version, table.eventTime],
  }),
  // Charts read it forwards and tapes backwards. Ascending, because pages split well only where new
  // entries come behind the old ones.
  index('trades_instrument_id_event_time').on(table.instrumentId, table.eventTime),
])

function tradeColumns() {
  return {
    instrumentId: text('instrument_id').notNull(),
    tradeId: text('trade_id').notNull(),
    version: integer('version').notNull(),
    venue: text('venue').notNull(),
    feedId: text('feed_id').notNull(),
    instrument: text('instrument').notNull(),
    status: text('status', { enum: ['confirmed', 'pending', 'cancelled'] }).notNull(),
    sequence: whole('sequence'),
    venueOrder: whole('venue_order'),
    price: numeric('price').notNull(),
    quantity: numeric('quantity').notNull(),
    notionalUsd: numeric('notional_usd'),
    takerSide: text('taker_side', { enum: ['buy', 'sell', 'unknown'] }).notNull(),
    eventTime: time('event_time').notNull(),
    /** By the clock of ingest. */
    receivedAt: time('received_at').notNull(),
    indexPrice: numeric('index_price'),
    markPrice: numeric('mark_price'),
    impliedVolatility: numeric('implied_volatility'),
    liquidation: text('liquidation'),
    tickDirection: integer('tick_direction'),
    counterparty: text('counterparty'),
    book: text('book'),
    maturesAt: time('matures_at'),
    txHash: text('tx_hash'),
    baseToken: text('base_token'),
    quoteToken: text('quote_token'),
    /** Where in market-events the record stands. */
    sourcePartition: integer('source_partition').notNull(),
    sourceOffset: whole('source_offset').notNull(),
  }
}

/**
 * Each trade as it stands: of an (instrument, trade id) the highest version, and of equal versions the
 * first record. `expired`: its `matures_at` has passed.
 *
 * A trade's other versions may be of any day, so each row is looked for in the key of every partition: 50 rows
 * of a tape over 90 days take some 25 ms (rough).
 */
export const currentTrades = pgView('current_trades', {
  ...tradeColumns(),
  expired: boolean('expired').notNull(),
}).existing()

/**
 * From when on `trades` is whole: what is older was dropped, or will be. One row, or none if nothing ever
 * was dropped.
 */
export const tradeRetention = pgTable('trade_retention', {
  id: integer('id').primaryKey(),
  keptFrom: time('kept_from').notNull(),
})

/**
 * The standing candle of each window: the highest (rebuild_id, revision), no rebuild being lowest.
 *
 * The key serves charts, and statistics over all instruments of an interval too, asked by instrument
 * (`instruments, lateral (…)`): an hour of 500 instruments takes some 25 ms, by an index on (interval,
 * window_start) 17 ms. That index would cost each upsert 3 us of PostgreSQL's time, on top of 11 (rough).
 */
export const candles = pgTable(
  'candles',
  {
    instrumentId: text('instrument_id').notNull(),
    interval: text('interval').notNull(),
    windowStart: time('window_start').notNull(),
    windowEnd: time('window_end').notNull(),
    open: numeric('open').notNull(),
    high: numeric('high').notNull(),
    low: numeric('low').notNull(),
    close: numeric('close').notNull(),
    volume: numeric('volume').notNull(),
    buyVolume: numeric('buy_volume').notNull(),
    quoteVolume: numeric('quote_volume').notNull(),
    notionalUsd: numeric('notional_usd'),
    vwap: numeric('vwap'),
    tradeCount: whole('trade_count').notNull(),
    indicators: jsonb('indicators').$type<Readonly<Record<string, number>>>().notNull(),
    quality: text('quality', {
      enum: ['complete', 'quiet', 'gap', 'backfilled', 'partial'],
    }).notNull(),
    revision: integer('revision').notNull(),
    final: boolean('final').notNull(),
    firstSequence: whole('first_sequence'),
    lastSequence: whole('last_sequence'),
    rebuildId: whole('rebuild_id'),
  },
  (table) => [primaryKey({ columns: [table.instrumentId, table.interval, table.windowStart] })],
)

/**
 * Records that a service turned away. The key is where the reject itself stands: in the topic
 * `rejected`, or, if the sink is who could not use it, in the topic that it was read from.
 */
export const rejected = pgTable(
  'rejected',
  {
    topic: text('topic').notNull(),
    partition: integer('partition').notNull(),
    offset: whole('offset').notNull(),
    stage: text('stage').notNull(),
    reason: text('reason').notNull(),
    message: text('message').notNull(),
    /** Where the record was first read; null for what never was in Kafka. */
    sourceTopic: text('source_topic'),
    sourcePartition: integer('source_partition'),
    sourceOffset: whole('source_offset'),
    key: bytea('key'),
    value: bytea('value'),
    /** When Kafka took the record at the key's position. */
    rejectedAt: time('rejected_at').notNull(),
    /** When the record was put back for good; null: never. By the clock of whoever did. */
    redrivenAt: time('redriven_at'),
    /** The run that has claimed the record, to put it back; null: none. */
    redriveId: text('redrive_id'),
    /** Of a venue's frame that never was in Kafka; null for others. */
    venue: text('venue'),
    feedId: text('feed_id'),
  },
  (table) => [
    primaryKey({ columns: [table.topic, table.partition, table.offset] }),
    // What a redrive looks for, and what waits for one.
    index('rejected_waiting')
      .on(table.reason, table.stage, table.topic, table.partition, table.offset)
      .where(sql`${table.redrivenAt} is null`),
  ],
)

/**
 * Each gap as last announced in its partition: a gap of a whole feed stands in all of them, and an
 * instrument may have a record of its own under the same gap_id.
 */
export const sequenceGaps = pgTable(
  'sequence_gaps',
  {
    gapId: text('gap_id').notNull(),
    feedId: text('feed_id').notNull(),
    replicaId: text('replica_id').notNull(),
    /** null: the whole feed. */
    instrumentId: text('instrument_id'),
    fromTime: time('from_time').notNull(),
    toTime: time('to_time').notNull(),
    fromSequence: whole('from_sequence'),
    toSequence: whole('to_sequence'),
    state: text('state', { enum: ['open', 'backfilled', 'unrecoverable'] }).notNull(),
    sourcePartition: integer('source_partition').notNull(),
    sourceOffset: whole('source_offset').notNull(),
  },
  (table) => [
    // A primary key cannot hold the null of a whole feed.
    unique('sequence_gaps_key')
      .on(table.sourcePartition, table.gapId, table.instrumentId)
      .nullsNotDistinct(),
  ],
)

/** Each instrument as its latest InstrumentStatus describes it, and earlier ones where that does not tell. */
export const instruments = pgTable('instruments', {
  instrumentId: text('instrument_id').primaryKey(),
  venue: text('venue').notNull(),
  /** The venue's own symbol. */
  instrument: text('instrument').notNull(),
  feedId: text('feed_id').notNull(),
  status: text('status', { enum: ['listed', 'expired'] }).notNull(),
  base: text('base'),
  quote: text('quote'),
  kind: text('kind', { enum: ['spot', 'perpetual', 'future', 'option', 'combo'] }),
  /** `quote` on a contract: it is inverse. */
  quantityUnit: text('quantity_unit', { enum: ['base', 'quote', 'contract'] }),
  /** The venue's time of the change. */
  eventTime: time('event_time').notNull(),
  sourcePartition: integer('source_partition').notNull(),
  sourceOffset: whole('source_offset').notNull(),
})

/** Event time up to which the sink has read everything of a feed in a partition of market-events. */
export const feedWatermarks = pgTable(
  'feed_watermarks',
  {
    partition: integer('partition').notNull(),
    feedId: text('feed_id').notNull(),
    upTo: time('up_to').notNull(),
    /** Where in the partition the feed's latest heartbeat stands; 0 where it is not known. */
    heartbeatOffset: whole('heartbeat_offset').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.partition, table.feedId] })],
)

/** How far the sink has written each partition, in the same transaction as the rows. */
export const sinkOffsets = pgTable(
  'sink_offsets',
  {
    topic: text('topic').notNull(),
    partition: integer('partition').notNull(),
    nextOffset: whole('next_offset').notNull(),
    /** Raised by every new owner; a commit under an older one fails. */
    epoch: whole('epoch').notNull(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.partition] })],
)

/** Keys that the gateway lets in. Of a key only its hash is kept: who has lost one gets another. */
export const apiKeys = pgTable('api_keys', {
  /** The part of the key that is no secret, by which it is found and named in logs. */
  keyId: text('key_id').primaryKey(),
  /** SHA-256 of the secret part, which is 32 random bytes: there is nothing to guess that a slow hash would protect. */
  secretHash: bytea('secret_hash').notNull(),
  /** What its owner calls it. */
  name: text('name').notNull(),
  scopes: text('scopes').array().notNull(),
  createdAt: time('created_at').notNull(),
  /** null: it does not expire. */
  expiresAt: time('expires_at'),
  /** null: it is valid. */
  revokedAt: time('revoked_at'),
})

/** Each instance of the gateway, as it last told. A row that is not renewed is of one that has gone. */
export const gatewayInstances = pgTable('gateway_instances', {
  instance: text('instance').primaryKey(),
  startedAt: time('started_at').notNull(),
  /** By the database's clock. */
  seenAt: time('seen_at').notNull(),
  /** Connected WebSocket clients. */
  clients: integer('clients').notNull(),
})

/** Requests of one caller within one window of time, counted over all instances of the gateway. Unlogged. */
export const rateWindows = pgTable('rate_windows', {
  caller: text('caller').primaryKey(),
  windowEnd: time('window_end').notNull(),
  requests: integer('requests').notNull(),
})
