/**
 * What the snapshot holds, as temporary tables of one transaction: how far each feed is closed, the
 * instruments, and the trades as they stand.
 */

/**
 * The intervals that are compared, from the lowest up.
 *
 * $1, $2: names and lengths in ms.
 */
export const createLevels = `
create temp table levels on commit drop as
select interval, ms * interval '1 millisecond' as length
from unnest($1::text[], $2::bigint[]) as level (interval, ms)`

/**
 * Up to where windows of a feed in a partition must have closed, and where its latest heartbeat stands.
 *
 * $1, $2, $3, $4: the snapshot's heartbeats by partition and feed. $5: grace in ms.
 */
export const createWatermarks = `
create temp table watermarks on commit drop as
select partition, feed_id, heartbeat_offset,
  up_to - $5::bigint * interval '1 millisecond' as closed_until
from unnest($1::integer[], $2::text[], $3::timestamptz[], $4::bigint[])
  as watermark (partition, feed_id, up_to, heartbeat_offset)`

/** From when on all trades are stored: what was before is not judged. Days of partitions are whole windows. */
export const keptFrom = `(select coalesce(max(kept_from), '-infinity') from trade_retention)`

/** @param instrumentId an expression. */
export function hasOlderCandles(instrumentId: string): string {
  return `exists (
    select from candles as older
    where older.instrument_id = ${instrumentId} and older.interval = '1s'
      and older.window_start < ${keptFrom}
  )`
}

/**
 * The instruments of the snapshot. Each belongs to the feed of its latest trade; closed_until is null
 * for a feed that has sent no heartbeat.
 *
 * Candles change only when a heartbeat of their feed is read: a late trade that came behind the latest
 * one shows in no candle yet. So that heartbeat is where an instrument's records end: next_offset.
 *
 * What an instrument is, is as last told of it, for all of its trades. is_older: it had trades that are past
 * their retention.
 *
 * $1, $2: partitions of market-events and the offsets that the snapshot goes up to.
 */
export const createInstruments = `
create temp table compared_instruments on commit drop as
with positions as (
  select * from unnest($1::integer[], $2::bigint[]) as position (partition, next_offset)
), feeds as (
  select instrument_id, partition, feed_id, max(source_offset) as last_offset,
    count(*) filter (where is_stored) as trades
  from all_trades join positions on partition = source_partition and source_offset < next_offset
  group by instrument_id, partition, feed_id
)
select distinct on (instrument_id)
  instrument_id, partition, feeds.feed_id, closed_until,
  coalesce(heartbeat_offset, 0) as next_offset,
  sum(trades) over (partition by instrument_id) as trades,
  coalesce(quantity_unit = 'quote' and kind <> 'spot', false) as is_inverse,
  case when status = 'expired' then event_time end as expired_at,
  ${hasOlderCandles('feeds.instrument_id')} as is_older
from feeds left join watermarks using (partition, feed_id)
  left join instruments using (instrument_id)
order by instrument_id, last_offset desc`

/**
 * Trades that the aggregator turned away: they change nothing. Late ones count after all once their
 * second was rebuilt from the log as it was behind them; a rebuildId is the offset of the Rebuild. What was put
 * back counts, though its row has the place that it was rejected at, unless it was turned away again.
 *
 * $1: the topic market-events.
 */
export const createTurnedAway = `
create temp table turned_away on commit drop as
select trades.instrument_id, event_time, source_partition, source_offset,
  reason = 'late' and coalesce(rebuild_id > source_offset, false) as is_rebuilt
from rejected
  join all_trades as trades using (source_partition, source_offset)
  left join candles on candles.instrument_id = trades.instrument_id and candles.interval = '1s'
    and candles.window_start = date_bin('1 second', event_time, 'epoch')
where stage = 'aggregator' and source_topic = $1
  and (redriven_at is null or exists (
    select from rejected as again
    where again.stage = 'aggregator' and again.source_topic = $1 and again.redriven_at is null
      and again.source_partition = rejected.source_partition and again.value = rejected.value
  ))`

/**
 * Every record of a trade that was taken, and whether it is the one that stands: of the highest version
 * the first. A record that was turned away is told by its place in the log: one of the same identity may
 * have been taken. Records are of one trade if they have one sequence, or, without sequences, one id.
 */
export const createKnownTrades = `
create temp table known_trades on commit drop as
select trades.instrument_id, trade_id, version, sequence, status, trades.event_time, venue_order, price,
  quantity, notional_usd, taker_side, is_inverse,
  is_rebuilt is true as came_late,
  is_stored,
  row_number() over identity = 1 as stands,
  version < first_value(version) over identity as is_replaced
from all_trades as trades join compared_instruments using (instrument_id)
  left join turned_away using (source_partition, source_offset)
where source_offset < next_offset and is_rebuilt is distinct from false
window identity as (
  partition by trades.instrument_id, sequence, case when sequence is null then trade_id end
  order by version desc, source_offset
)`
