import { hasOlderCandles, keptFrom } from './known-trades.ts'

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
 *
 * Not judged are windows from the earliest on that was rebuilt since the snapshot, those that hold a late
 * trade which a rebuild of shorter windows alone has counted, those that are past the retention of trades, and
 * flat ones that follow a trade which is.
 */
export const createDifferences = `
create temp table differences on commit drop as
with stored as (
  select candles.*
  from candles join levels using (interval) left join compared_instruments using (instrument_id)
  where window_start >= ${keptFrom} and window_end <= case
    when compared_instruments.instrument_id is not null then closed_until
    else (select min(closed_until) from watermarks)
  end
), compared as (
  select interval, instrument_id, window_start,
    coalesce(expected.window_end, stored.window_end) as window_end, rebuild_id,
    stored.trade_count as stored_trades,
    case
      when stored.window_end is null then 'missing'
      when expected.window_end is null then 'extra'
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
), rebuilt_since as (
  select instrument_id, min(window_start) as rebuilt_from
  from candles join compared_instruments using (instrument_id)
  where rebuild_id >= next_offset
  group by instrument_id
)
select compared.* from compared left join rebuilt_since using (instrument_id)
where cardinality(columns) > 0 and window_start >= ${keptFrom} and window_end <= coalesce(rebuilt_from, 'infinity')
  and not exists (
    select from turned_away
    where is_rebuilt and turned_away.instrument_id = compared.instrument_id
      and event_time >= window_start and event_time < window_end
      and source_offset > coalesce(rebuild_id, -1)
  )
  and not (
    kind = 'extra' and stored_trades = 0 and ${hasOlderCandles('compared.instrument_id')}
    and not exists (
      select from seconds
      where seconds.instrument_id = compared.instrument_id
        and seconds.window_start < compared.window_end
    )
  )`

/** The instruments with differences, and where the records end that these were computed from. */
export const selectDoubtful = `
select distinct instrument_id, partition, coalesce(next_offset, 0) as next_offset
from differences left join compared_instruments using (instrument_id)`

/**
 * The earliest time that records behind the snapshot touch, of each instrument that has such: their own
 * times, those of the trades that they replace, and the beginning of gaps that they tell of or fill.
 *
 * $1, $2, $3: instruments, their partitions, and the offsets where the snapshot's records end. $4, $5, $6, $7: instrument,
 * id, sequence and time of the trades behind it that only the sink has turned away.
 */
export const selectTouchedSince = `
with doubtful as (
  select * from unnest($1::text[], $2::integer[], $3::bigint[])
    as doubtful (instrument_id, partition, next_offset)
), later as (
  select trades.instrument_id, trade_id, sequence, event_time
  from trades join doubtful using (instrument_id)
  where source_offset >= next_offset
  union all
  select * from unnest($4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
), touched as (
  select instrument_id, event_time as at from later
  union all
  select trades.instrument_id, trades.event_time
  from trades join later using (instrument_id, trade_id)
  union all
  select trades.instrument_id, trades.event_time
  from trades join later using (instrument_id, sequence)
  union all
  select doubtful.instrument_id, from_time
  from sequence_gaps join doubtful on partition = source_partition
    and coalesce(sequence_gaps.instrument_id, doubtful.instrument_id) = doubtful.instrument_id
  where source_offset >= next_offset
  union all
  select later.instrument_id, from_time
  from later join sequence_gaps on sequence between from_sequence and to_sequence
    and coalesce(sequence_gaps.instrument_id, later.instrument_id) = later.instrument_id
)
select instrument_id, min(at) as touched_from from touched group by instrument_id`

/**
 * Takes back what records behind the snapshot may have changed.
 *
 * $1, $2: instruments and the earliest time that such records touch.
 */
export const deleteUndecided = `
delete from differences
using unnest($1::text[], $2::timestamptz[]) as touched (instrument_id, touched_from)
where differences.instrument_id = touched.instrument_id and window_end > touched_from`
