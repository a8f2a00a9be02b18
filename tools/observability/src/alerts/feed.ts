import { minute, hour } from '../pace.ts'
import type { Pace } from '../pace.ts'
import { risen } from '../promql.ts'
import { during, rising } from './alert.ts'
import type { AlertGroup } from './alert.ts'

const ingest = 'instance="ingest:9101",job="ingest",venue="deribit"'
const connected = `ingest_connected{${ingest}}`

/** What comes from a venue, and what is missing of it. */
export function feedAlerts(pace: Pace): AlertGroup {
  return {
    name: 'feed',
    alerts: [
      {
        name: 'FeedDead',
        severity: 'critical',
        // Before its first connection a feed has no such series.
        expr: 'ingest_connected == 0 or (up{job="ingest"} == 1 unless on (instance) ingest_connected)',
        forSeconds: minute,
        summary: 'No connection to {{ or $labels.venue "the venue" }} delivers',
        description:
          '{{ $labels.instance }} has had no connection to {{ or $labels.venue "its venue" }} for a minute. Its windows stay open; what is missed is fetched or told as a gap once it is back.',
        example: {
          series: { [connected]: during([1, 5], [0, 10], [1, 5]) },
          quietAt: 5,
          firesAt: 8,
          clearsAt: 17,
        },
      },
      {
        name: 'FeedSilent',
        severity: 'critical',
        expr: `sum by (instance, venue) (rate(ingest_trades_total[${pace.span(5 * minute)}])) == 0 and on (instance) ingest_connected == 1`,
        forSeconds: 5 * minute,
        summary: 'No trade of {{ $labels.venue }} comes over a connection that stands',
        description:
          '{{ $labels.instance }} is connected to {{ $labels.venue }} and has had no trade of any instrument for ten minutes.',
        example: {
          series: {
            [connected]: during([1, 40]),
            [`ingest_trades_total{${ingest},source="stream"}`]: rising([60, 5], [0, 20], [60, 15]),
          },
          quietAt: 12,
          firesAt: 20,
          clearsAt: 32,
        },
      },
      {
        name: 'FeedStalled',
        severity: 'critical',
        expr: `changes(ingest_up_to_seconds[${pace.span(2 * minute)}]) == 0 and on (instance) ingest_connected == 1`,
        forSeconds: 2 * minute,
        summary: 'Heartbeats of {{ $labels.venue }} do not go on: its windows do not close',
        description:
          '{{ $labels.instance }} is connected to {{ $labels.venue }}, but the time up to which everything is delivered has stood still for four minutes.',
        example: {
          series: {
            [connected]: during([1, 40]),
            [`ingest_up_to_seconds{${ingest}}`]: rising([60, 10], [0, 10], [60, 20]),
          },
          quietAt: 12,
          firesAt: 16,
          clearsAt: 22,
        },
      },
      {
        name: 'GapOpenTooLong',
        severity: 'warning',
        expr: `ingest_oldest_open_gap_seconds > ${pace.seconds(10 * minute)}`,
        forSeconds: minute,
        summary:
          'A gap of {{ $labels.venue }} that began {{ $value | humanizeDuration }} ago is open',
        description:
          '{{ $labels.instance }} has not fetched what it missed of {{ $labels.venue }} since {{ $value | humanizeDuration }} ago. The candles that the gap touches have quality gap.',
        example: {
          series: {
            [`ingest_oldest_open_gap_seconds{${ingest}}`]: `${rising([0, 5], [60, 20])} 0+0x5`,
          },
          quietAt: 14,
          firesAt: 20,
          clearsAt: 26,
        },
      },
      {
        name: 'TradesLost',
        severity: 'warning',
        expr: risen('ingest_gaps_total', pace.span(hour)),
        forSeconds: 0,
        summary: 'Trades of {{ $labels.venue }} are missing and cannot be fetched',
        description:
          '{{ $labels.instance }} has given {{ $value | humanize }} gaps of {{ $labels.venue }} up as unrecoverable within an hour: its history answers without the trades, or refuses.',
        example: {
          series: { [`ingest_gaps_total{${ingest}}`]: `_x10 ${during([1, 120])}` },
          quietAt: 9,
          firesAt: 11,
          clearsAt: 75,
        },
      },
      {
        name: 'VenueLimitsReached',
        severity: 'warning',
        expr: 'ingest_silence_seconds > 0',
        forSeconds: 5 * minute,
        summary: '{{ $labels.venue }} wants to be left alone',
        description:
          '{{ $labels.instance }} has asked {{ $labels.venue }} too often and may send nothing for {{ $value | humanizeDuration }} more; holes cannot be fetched meanwhile.',
        example: {
          series: { [`ingest_silence_seconds{${ingest}}`]: during([0, 5], [300, 10], [0, 5]) },
          quietAt: 8,
          firesAt: 12,
          clearsAt: 16,
        },
      },
    ],
  }
}
