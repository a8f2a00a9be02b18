import { maxOf, quantile, sumOf, sumRate } from '../promql.ts'
import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'

const chosen = 'venue=~"$venue"'
const byVenue = { by: ['venue'], match: chosen }

/** Rate of a counter by venue and one more label. */
function rateBy(label: string, metric: string, legend = `{{venue}} {{${label}}}`) {
  return { expr: sumRate(metric, { by: ['venue', label], match: chosen }), legend }
}

function rateOf(metric: string, what = '') {
  return { expr: sumRate(metric, byVenue), legend: `{{venue}} ${what}`.trim() }
}

function levelOf(metric: string, what = '') {
  return { expr: sumOf(metric, byVenue), legend: `{{venue}} ${what}`.trim() }
}

/** Times of replicas do not add up. */
function longestOf(metric: string) {
  return { expr: maxOf(metric, byVenue), legend: '{{venue}}' }
}

export const ingest: DashboardPlan = {
  name: 'ingest',
  title: 'Tickertape: ingest',
  about: 'What comes from each venue, and what becomes of it up to the log.',
  choices: [{ label: 'venue', metric: 'ingest_connected' }],
  sections: [
    {
      title: 'Feeds',
      panels: [
        figure({ title: 'Connected' }, 'short', levelOf('ingest_connected'), { warn: 1, bad: 0 }),
        figure({ title: 'Gaps open' }, 'short', levelOf('ingest_open_gaps'), { warn: 1, bad: 10 }),
        figure({ title: 'Oldest open gap' }, 's', longestOf('ingest_oldest_open_gap_seconds'), {
          warn: 60,
          bad: 600,
        }),
        figure(
          { title: 'Heartbeats behind the venue' },
          's',
          longestOf('ingest_up_to_lag_seconds'),
          {
            warn: 5,
            bad: 30,
          },
        ),
        figure({ title: 'Asked to keep silent for' }, 's', longestOf('ingest_silence_seconds'), {
          warn: 1,
          bad: 60,
        }),
        figure({ title: 'Trades a second' }, 'short', rateOf('ingest_trades_total')),
      ],
    },
    {
      title: 'Trades',
      panels: [
        lines({ title: 'Trades written' }, 'cps', rateBy('source', 'ingest_trades_total')),
        lines({ title: 'Frames with trades' }, 'cps', rateOf('ingest_frames_total')),
        lines(
          { title: 'Turned away' },
          'cps',
          rateBy('source', 'ingest_duplicates_total', '{{venue}} duplicates of the {{source}}'),
          rateBy('reason', 'ingest_rejected_total'),
        ),
        lines(
          {
            title: "Venue's time → frame received",
            about: 'Includes the difference of the clocks.',
          },
          's',
          ...quantiles('ingest_venue_delay_seconds'),
        ),
        lines(
          { title: 'Frame received → acknowledged by Kafka' },
          's',
          ...quantiles('ingest_append_seconds'),
        ),
        lines(
          { title: 'Waiting', about: 'At the limit of records in flight, reading stops.' },
          'short',
          levelOf('ingest_in_flight_records', 'for Kafka'),
          levelOf('ingest_in_flight_records_limit', 'for Kafka, at most'),
          levelOf('ingest_waiting_trades', 'behind holes'),
        ),
      ],
    },
    {
      title: 'Connections and gaps',
      panels: [
        lines(
          { title: 'Connections' },
          'cps',
          rateOf('ingest_connections_total', 'opened'),
          rateOf('ingest_connections_lost_total', 'lost'),
          rateOf('ingest_handovers_total', 'handed over'),
        ),
        lines(
          { title: 'Holes and gaps' },
          'cps',
          rateOf('ingest_holes_total', 'holes seen'),
          rateOf('ingest_gaps_opened_total', 'gaps announced'),
          rateOf('ingest_gaps_total', 'gaps given up'),
        ),
        lines(
          { title: 'Answers over REST' },
          'cps',
          rateBy('status', 'ingest_rest_requests_total'),
        ),
        lines({ title: 'Times reading stopped' }, 'cps', rateBy('cause', 'ingest_pauses_total')),
        lines(
          { title: 'What was not available' },
          'cps',
          rateBy('dependency', 'ingest_retries_total'),
          rateOf('ingest_catalog_failures_total', "the venue's instruments"),
        ),
        lines(
          { title: 'The venue complains' },
          'cps',
          rateOf('ingest_complaints_total', 'errors told'),
          rateBy('status', 'ingest_silences_total', '{{venue}} asked for silence ({{status}})'),
        ),
      ],
    },
  ],
}

function quantiles(histogram: string) {
  return [0.5, 0.95, 0.99].map((q) => ({
    expr: quantile(q, histogram, byVenue),
    legend: `{{venue}} p${q * 100}`,
  }))
}
