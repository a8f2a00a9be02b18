/**
 * Candles by SQL over the stored trades, in temporary tables of one transaction. It shares nothing with
 * the aggregator's code: two computations that agree to the last digit are hardly wrong together.
 */

/**
 * `divide_half_even(a, b)`: a / b at 18 decimals, half to even, exact. PostgreSQL's own division
 * chooses a scale of its own, and its round() goes half away from zero.
 *
 * One expression, and not strict, so that PostgreSQL puts it into the query in place of a call: each trade
 * of an inverse contract is divided.
 */
export const createDivision = `
create or replace function pg_temp.divide_half_even(a numeric, b numeric) returns numeric
language sql immutable as $$
  select 0.000000000000000001 * sign(a) * sign(b) * (
    div(abs(a) * 1000000000000000000, abs(b)) + case
      when 2 * mod(abs(a) * 1000000000000000000, abs(b)) > abs(b) then 1
      when 2 * mod(abs(a) * 1000000000000000000, abs(b)) = abs(b)
        then mod(div(abs(a) * 1000000000000000000, abs(b)), 2)
      else 0
    end)
$$`

/**
 * One candle for each second in which a trade counts: confirmed, in the version that stands.
 *
 * One sort serves all ordered aggregates, for they have the same order.
 *
 * On an inverse contract quantities are in quote: so is volume, and quote_volume is in base, at 18 decimals a
 * trade.
 */
export const createSeconds = `
create temp table seconds on commit drop as
with grouped as (
  select instrument_id, date_bin('1 second', event_time, 'epoch') as window_start,
    array_agg(price order by event_time, sequence nulls first, venue_order nulls first,
      trade_id collate "C") as prices,
    max(price) as high,
    min(price) as low,
    sum(quantity) as volume,
    sum(case when taker_side = 'buy' then quantity else 0 end) as buy_volume,
    sum(case
      when not is_inverse then price * quantity
      when price = 0 then 0
      else pg_temp.divide_half_even(quantity, price)
    end) as quote_volume,
    case when count(notional_usd) = count(*) then sum(notional_usd) end as notional_usd,
    count(*) as trade_count,
    min(sequence) as first_sequence,
    max(sequence) as last_sequence,
    max(event_time) as last_trade_at,
    bool_and(came_late) as all_late
  from known_trades
  where stands and status = 'confirmed'
  group by instrument_id, date_bin('1 second', event_time, 'epoch')
)
select instrument_id, window_start, window_start + interval '1 second' as window_end,
  prices[1] as open, high, low, prices[cardinality(prices)] as close,
  volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
  last_trade_at, all_late
from grouped join compared_instruments using (instrument_id)
where window_start + interval '1 second' <= closed_until`

/** One candle for each minute in which a trade counts, of its seconds. */
export const createTradedMinutes = `
create temp table traded_windows on commit drop as
${windowsOf('seconds', `interval = '1m'`)}`

/**
 * And for each longer window, of its minutes: all of them at once, not one interval from the other. Of its
 * seconds would take six times as long.
 */
export const addTradedWindows = `
insert into traded_windows
${windowsOf(`(select * from traded_windows where interval = '1m') as minutes`, `length > interval '1 minute'`)}`

/** @param wanted condition on levels. */
function windowsOf(parts: string, wanted: string): string {
  return `with grouped as (
  select wanted.interval, length, instrument_id, date_bin(length, window_start, 'epoch') as start,
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
    max(last_trade_at) as last_trade_at
  from ${parts} cross join (select interval, length from levels where ${wanted}) as wanted
  group by wanted.interval, length, instrument_id, date_bin(length, window_start, 'epoch')
)
select interval, instrument_id, start as window_start, start + length as window_end,
  opens[1] as open, high, low, closes[cardinality(closes)] as close,
  volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence,
  last_trade_at
from grouped join compared_instruments using (instrument_id)
where start + length <= closed_until`
}

/**
 * The gaps of each instrument as last told: its own record comes before that of the whole feed. A gap
 * is filled if it says so, or if it is the instrument's own and all of its sequences were taken.
 *
 * A gap that was told when its windows were forgotten already shows here, but in no candle.
 */
export const createGaps = `
create temp table gaps on commit drop as
with standing as (
  select distinct on (compared_instruments.instrument_id, gap_id)
    compared_instruments.instrument_id, from_time, to_time, state,
    case when sequence_gaps.instrument_id is not null then from_sequence end as from_sequence,
    to_sequence
  from sequence_gaps join compared_instruments
    on source_partition = partition and sequence_gaps.feed_id = compared_instruments.feed_id
    and coalesce(sequence_gaps.instrument_id, compared_instruments.instrument_id) = compared_instruments.instrument_id
  where source_offset < next_offset
  order by compared_instruments.instrument_id, gap_id, sequence_gaps.instrument_id nulls last
), taken as (
  select distinct instrument_id, sequence from known_trades
), filled as (
  select instrument_id, from_sequence, to_sequence
  from (select distinct instrument_id, from_sequence, to_sequence from standing) as missing
    join taken using (instrument_id)
  where sequence between from_sequence and to_sequence
  group by instrument_id, from_sequence, to_sequence
  having count(*) = to_sequence - from_sequence + 1
)
select instrument_id, from_time, to_time, state = 'backfilled' or exists (
    select from filled
    where filled.instrument_id = standing.instrument_id
      and filled.from_sequence = standing.from_sequence
      and filled.to_sequence = standing.to_sequence
  ) as is_filled
from standing`

/**
 * Every candle that must be there. Quality is the worst of gap > partial > backfilled > complete >
 * quiet. Partial is the first second with trades, and so are the windows that hold it. It stays the first
 * where a rebuild counts what came too late: such seconds before it are partial too. An instrument whose
 * beginning is past the retention has none.
 */
export const createExpected = `
create temp table expected on commit drop as
with candles as (
  select '1s' as interval, instrument_id, window_start, window_end, open, high, low, close,
    volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence
  from seconds
  union all
  select interval, instrument_id, window_start, window_end, open, high, low, close,
    volume, buy_volume, quote_volume, notional_usd, trade_count, first_sequence, last_sequence
  from traded_windows
  union all
  select interval, instrument_id, window_start, window_end, close, close, close, close,
    0, 0, 0, 0, 0, null, null
  from flat_windows
), beginnings as (
  select instrument_id, min(window_start) as first_start
  from seconds join compared_instruments using (instrument_id)
  where not all_late and not is_older
  group by instrument_id
), partial as (
  select distinct interval, instrument_id,
    date_bin(length, window_start, 'epoch') as window_start
  from seconds join beginnings using (instrument_id) cross join levels
  where window_start <= first_start
), touched as (
  select interval, candles.instrument_id, window_start, bool_and(is_filled) as all_filled
  from candles join gaps
    on gaps.instrument_id = candles.instrument_id
    and from_time < window_end and to_time > window_start
  group by interval, candles.instrument_id, window_start
)
select interval, instrument_id, window_start, window_end, open, high, low, close,
  volume, buy_volume, quote_volume, notional_usd,
  case
    when is_inverse and quote_volume <> 0 then pg_temp.divide_half_even(volume, quote_volume)
    when not is_inverse and volume <> 0 then pg_temp.divide_half_even(quote_volume, volume)
  end as vwap,
  trade_count, first_sequence, last_sequence,
  case
    when not all_filled then 'gap'
    when partial.interval is not null then 'partial'
    when all_filled then 'backfilled'
    when trade_count > 0 then 'complete'
    else 'quiet'
  end as quality,
  true as final
from candles join compared_instruments using (instrument_id)
  left join partial using (interval, instrument_id, window_start)
  left join touched using (interval, instrument_id, window_start)`
