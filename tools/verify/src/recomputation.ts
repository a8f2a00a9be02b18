/**
 * Candles by SQL over the stored trades, in temporary tables of one transaction. It shares nothing with
 * the aggregator's code: two computations that agree to the last digit are hardly wrong together.
 */

/**
 * `divide_half_even(a, b)`: a / b at 18 decimals, half to even, exact. PostgreSQL's own division
 * chooses a scale of its own, and its round() goes half away from zero.
 */
export const createDivision = `
create or replace function pg_temp.divide_half_even(a numeric, b numeric) returns numeric
language sql immutable strict as $$
  select 0.000000000000000001 * sign(a) * sign(b) * (quotient + case
      when 2 * remainder > abs(b) or (2 * remainder = abs(b) and mod(quotient, 2) = 1) then 1
      else 0
    end)
  from (
    select quotient, scaled - quotient * abs(b) as remainder
    from (select abs(a) * 1000000000000000000 as scaled) as numerator,
      lateral (select div(scaled, abs(b)) as quotient) as division
  ) as divided
$$`

/**
 * Up to where windows of a feed in a partition must have closed.
 *
 * $1, $2, $3: watermarks by partition and feed. $4: grace in ms.
 */
export const createWatermarks = `
create temp table watermarks on commit drop as
select partition, feed_id, up_to - $4::bigint * interval '1 millisecond' as closed_until
from unnest($1::integer[], $2::text[], $3::timestamptz[]) as watermark (partition, feed_id, up_to)`

/**
 * The instruments of the snapshot. Each belongs to the feed of its latest trade; closed_until is null
 * for a feed that has sent no heartbeat.
 *
 * $1, $2: partitions of market-events and the offsets that the snapshot goes up to.
 */
export const createInstruments = `
create temp table instruments on commit drop as
with positions as (
  select * from unnest($1::integer[], $2::bigint[]) as position (partition, next_offset)
), feeds as (
  select instrument_id, source_partition, feed_id, next_offset,
    max(source_offset) as last_offset, count(*) as trades
  from trades join positions on partition = source_partition and source_offset < next_offset
  group by instrument_id, source_partition, feed_id, next_offset
)
select distinct on (instrument_id)
  instrument_id, next_offset, feeds.feed_id, closed_until,
  sum(trades) over (partition by instrument_id) as trades
from feeds left join watermarks
  on watermarks.partition = source_partition and watermarks.feed_id = feeds.feed_id
order by instrument_id, last_offset desc`

/**
 * One candle for each second with trades: confirmed ones, in their highest version, without those
 * that the aggregator turned away.
 *
 * One sort serves all ordered aggregates, for they have the same order.
 *
 * $1: the topic market-events.
 */
export const createSeconds = `
create temp table seconds on commit drop as
with counted as (
  select trades.instrument_id, date_bin('1 second', event_time, 'epoch') as window_start,
    event_time, sequence, venue_order, trade_id, price, quantity, notional_usd, taker_side
  from trades join instruments
    on instruments.instrument_id = trades.instrument_id and source_offset < next_offset
  where status = 'confirmed'
    and not exists (
      select from trades as newer
      where newer.version > 0 and newer.version > trades.version
        and newer.instrument_id = trades.instrument_id and newer.trade_id = trades.trade_id
        and newer.source_offset < next_offset
    )
    and not exists (
      select from rejected
      where stage = 'aggregator' and source_topic = $1
        and rejected.source_partition = trades.source_partition
        and rejected.source_offset = trades.source_offset
    )
), grouped as (
  select instrument_id, window_start,
    array_agg(price order by event_time, sequence nulls first, venue_order nulls first,
      trade_id collate "C") as prices,
    max(price) as high,
    min(price) as low,
    sum(quantity) as volume,
    sum(case when taker_side = 'buy' then quantity else 0 end) as buy_volume,
    sum(price * quantity) as quote_volume,
    case when count(notional_usd) = count(*) then sum(notional_usd) end as notional_usd,
    count(*) as trade_count,
    min(sequence) as first_sequence,
    max(sequence) as last_sequence,
    max(event_time) as last_trade_at
  from counted
  group by instrument_id, window_start
)
select instrument_id, window_start, window_start + interval '1 second' as window_end,
  prices[1] as open, high, low, prices[cardinality(prices)] as close,
  volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
  last_trade_at,
  row_number() over (partition by instrument_id order by window_start) = 1 as is_first
from grouped join instruments using (instrument_id)
where window_start + interval '1 second' <= closed_until`

/** One candle for each minute with trades, of its seconds. */
export const createMinutes = `
create temp table minutes on commit drop as
with grouped as (
  select instrument_id, date_bin('1 minute', window_start, 'epoch') as window_start,
    array_agg(open order by window_start) as opens,
    array_agg(close order by window_start) as closes,
    max(high) as high,
    min(low) as low,
    sum(volume) as volume,
    sum(buy_volume) as buy_volume,
    sum(quote_volume) as quote_volume,
    case when count(notional_usd) = count(*) then sum(notional_usd) end as notional_usd,
    sum(trade_count) as trade_count,
    min(first_sequence) as first_sequence,
    max(last_sequence) as last_sequence,
    max(last_trade_at) as last_trade_at,
    bool_or(is_first) as is_first
  from seconds
  group by instrument_id, date_bin('1 minute', window_start, 'epoch')
)
select instrument_id, window_start, window_start + interval '1 minute' as window_end,
  opens[1] as open, high, low, closes[cardinality(closes)] as close,
  volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
  last_trade_at, is_first
from grouped join instruments using (instrument_id)
where window_start + interval '1 minute' <= closed_until`

/**
 * Flat candles for the minutes without trades between those with trades, and behind the last one.
 *
 * $1: the bound in ms after an instrument's last trade, beyond which there are none.
 */
export const createFlatMinutes = `
create temp table flat_minutes on commit drop as
with followed as (
  select instrument_id, window_end, close, last_trade_at, closed_until,
    lead(window_start) over (partition by instrument_id order by window_start) as next_start
  from minutes join instruments using (instrument_id)
)
select instrument_id, window_start, window_start + interval '1 minute' as window_end, close
from followed, lateral generate_series(
    window_end,
    least(next_start, closed_until) - interval '1 minute',
    interval '1 minute'
  ) as flat (window_start)
where window_start < last_trade_at + $1::bigint * interval '1 millisecond'`

/** Every candle that must be there. A gap that touches a window is worse than all else in it. */
export const createExpected = `
create temp table expected on commit drop as
with candles as (
  select '1s' as interval, instrument_id, window_start, window_end, open, high, low, close,
    volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
    case when is_first then 'partial' else 'complete' end as quality
  from seconds
  union all
  select '1m', instrument_id, window_start, window_end, open, high, low, close,
    volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
    case when is_first then 'partial' else 'complete' end
  from minutes
  union all
  select '1m', instrument_id, window_start, window_end, close, close, close, close,
    0, 0, 0, 0, 0, null, null, 'quiet'
  from flat_minutes
), gaps as (
  select instruments.instrument_id, from_time, to_time, state = 'backfilled' as is_backfilled
  from sequence_gaps join instruments
    on sequence_gaps.feed_id = instruments.feed_id
    and (sequence_gaps.instrument_id is null
      or sequence_gaps.instrument_id = instruments.instrument_id)
), touched as (
  select interval, candles.instrument_id, window_start, bool_and(is_backfilled) as is_backfilled
  from candles join gaps
    on gaps.instrument_id = candles.instrument_id
    and from_time < window_end and to_time > window_start
  group by interval, candles.instrument_id, window_start
)
select interval, candles.instrument_id, window_start, window_end, open, high, low, close,
  volume, buy_volume, quote_volume, notional_usd,
  case when volume <> 0 then pg_temp.divide_half_even(quote_volume, volume) end as vwap,
  trade_count, first_sequence, last_sequence,
  case
    when is_backfilled is null then quality
    when not is_backfilled then 'gap'
    when quality = 'partial' then 'partial'
    else 'backfilled'
  end as quality,
  true as final
from candles left join touched using (interval, instrument_id, window_start)`

/** What a stored candle and a recomputed one must agree in: all but indicators and the revision. */
export const comparedColumns = [
  'window_end',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'buy_volume',
  'quote_volume',
  'notional_usd',
  'vwap',
  'trade_count',
  'first_sequence',
  'last_sequence',
  'quality',
  'final',
] as const

/**
 * Windows whose stored candle is not the expected one, with the columns that differ.
 *
 * A candle of an instrument without trades in the snapshot may be of one that appeared since; it is
 * judged only if its window is behind every watermark.
 */
export const createDifferences = `
create temp table differences on commit drop as
with stored as (
  select candles.*
  from candles left join instruments using (instrument_id)
  where interval in ('1s', '1m') and window_end <= case
    when instruments.instrument_id is not null then closed_until
    else (select min(closed_until) from watermarks)
  end
), compared as (
  select interval, instrument_id, window_start,
    coalesce(expected.window_end, stored.window_end) as window_end,
    case
      when stored.open is null then 'missing'
      when expected.open is null then 'extra'
      else 'different'
    end as kind,
    array_remove(array[${comparedColumns
      .map(
        (name) => `case when stored.${name} is distinct from expected.${name} then '${name}' end`,
      )
      .join(', ')}], null) as columns,
    jsonb_build_object(${comparedColumns.map((name) => `'${name}', stored.${name}::text`).join(', ')}) as stored,
    jsonb_build_object(${comparedColumns.map((name) => `'${name}', expected.${name}::text`).join(', ')}) as recomputed
  from expected full join stored using (interval, instrument_id, window_start)
)
select * from compared where cardinality(columns) > 0`
