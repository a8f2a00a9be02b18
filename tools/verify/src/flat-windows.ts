/**
 * Windows without trades that have a candle, as temporary tables of the recomputation.
 *
 * Flat candles follow the trade before them. Where that was changed within the windows that an open gap
 * held past the horizon, or by a rebuild that ends before the flat ones, those behind stay as they
 * were: the stored rows do not tell, and they are shown as differences.
 */

/**
 * Flat candles that must be there: for the minutes without trades between those with trades, and behind
 * the last one.
 *
 * Behind the time of an expiry there are none from where on the aggregator has read of it. Where that was is
 * not known here, so a stored candle itself says that it is to be expected there.
 *
 * $1: the bound in ms after an instrument's last trade, beyond which there are none.
 */
export const createQuietMinutes = `
create temp table quiet_minutes on commit drop as
with followed as (
  select instrument_id, window_end, close, last_trade_at, closed_until, expired_at,
    lead(window_start) over (partition by instrument_id order by window_start) as next_start
  from traded_windows join compared_instruments using (instrument_id)
  where interval = '1m'
)
select instrument_id, flat.window_start, close
from followed, lateral generate_series(
    window_end,
    least(next_start, closed_until) - interval '1 minute',
    interval '1 minute'
  ) as flat (window_start)
where flat.window_start < last_trade_at + $1::bigint * interval '1 millisecond'
  and (
    expired_at is null or flat.window_start < expired_at or last_trade_at > expired_at
    or exists (
      select from candles
      where candles.instrument_id = followed.instrument_id and interval = '1m'
        and candles.window_start = flat.window_start
    )
  )`

/**
 * Stored flat candles that may be there: a window keeps its candle when its trades are taken back, and
 * so do minutes that such a trade made flat. Whether a window had closed by then is not known here, so
 * the stored candle itself says that it is to be expected; what is in it is compared. Its price is the
 * close before, unless no trade counts there any more.
 *
 * $1: as for the quiet minutes.
 */
export const createEmptied = `
create temp table emptied on commit drop as
with taken_back as (
  select distinct instrument_id, event_time
  from known_trades
  where is_replaced and status = 'confirmed'
)
select interval, candles.instrument_id, window_start, (
    select seconds.close from seconds
    where seconds.instrument_id = candles.instrument_id
      and seconds.window_start < candles.window_end
    order by seconds.window_start desc limit 1
  ) as close
from candles join compared_instruments using (instrument_id)
where trade_count = 0 and window_end <= closed_until
  and exists (
    select from taken_back
    where taken_back.instrument_id = candles.instrument_id and event_time < window_end
      and event_time >= case interval
        when '1s' then window_start
        when '1m' then window_start - $1::bigint * interval '1 millisecond'
      end
  )
  and not exists (
    select from quiet_minutes
    where interval = '1m' and quiet_minutes.instrument_id = candles.instrument_id
      and quiet_minutes.window_start = candles.window_start
  )`

/** Every window without trades that has a candle. Above the minutes they are those of which a minute has one. */
export const createFlatWindows = `
create temp table flat_windows on commit drop as
with minutes as (
  select instrument_id, window_start, close from quiet_minutes
  union all
  select instrument_id, window_start, close from emptied where interval = '1m'
), flat as (
  select interval, length, instrument_id, date_bin(length, window_start, 'epoch') as window_start,
    min(close) as close
  from minutes cross join levels
  where interval <> '1s'
  group by interval, length, instrument_id, date_bin(length, window_start, 'epoch')
  union all
  select interval, length, instrument_id, window_start, close
  from emptied join levels using (interval)
  where interval = '1s'
)
select interval, instrument_id, flat.window_start, flat.window_start + length as window_end,
  coalesce(flat.close, stored.close) as close
from flat join compared_instruments using (instrument_id)
  left join candles as stored using (interval, instrument_id, window_start)
where flat.window_start + length <= closed_until
  and not exists (
    select from seconds
    where seconds.instrument_id = flat.instrument_id and interval = '1s'
      and seconds.window_start = flat.window_start
  )
  and not exists (
    select from traded_windows
    where traded_windows.interval = flat.interval
      and traded_windows.instrument_id = flat.instrument_id
      and traded_windows.window_start = flat.window_start
  )`
