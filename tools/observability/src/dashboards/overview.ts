import { sumOf, sumRate } from '../promql.ts'
import {
  hopBudget,
  hopRecords,
  hopSeconds,
  lagRecords,
  lagSeconds,
  queueFullness,
  rejects,
} from '../recording-rules.ts'
import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'

const none = { warn: 1, bad: 1 }

/** The road of a trade, hop by hop: whether all is well, and where it is not. */
export const overview: DashboardPlan = {
  name: 'overview',
  title: 'Tickertape: overview',
  about: 'The road from the venue to the socket: rate, lag and freshness of each hop.',
  sections: [
    {
      title: 'Is it well?',
      panels: [
        figure(
          { title: 'Alerts', about: 'That fire now. What each means stands in docs/runbook.md.' },
          'short',
          { expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'firing' },
          none,
        ),
        figure(
          { title: 'Services down' },
          'short',
          {
            expr: 'count(up{job=~"ingest|aggregator|pg-sink|gateway"} == 0) or vector(0)',
            legend: 'down',
          },
          none,
        ),
        figure(
          { title: 'Feeds without a connection' },
          'short',
          { expr: 'count(ingest_connected == 0) or vector(0)', legend: 'feeds' },
          none,
        ),
        figure(
          { title: 'Gaps open' },
          'short',
          { expr: sumOf('ingest_open_gaps'), legend: 'gaps' },
          { warn: 1, bad: 10 },
        ),
        figure(
          { title: 'Records not stored yet' },
          'short',
          { expr: `sum(${lagRecords}{consumergroup=~".*pg-sink"})`, legend: 'records' },
          { warn: 20_000, bad: 200_000 },
        ),
        figure(
          { title: 'Rejects a second' },
          'short',
          { expr: `sum(${rejects}) or vector(0)`, legend: 'rejects' },
          { warn: 0.1, bad: 1 },
        ),
      ],
    },
    {
      title: 'The road',
      panels: [
        lines(
          {
            title: 'What passes each hop',
            about: 'Frames, trades, records, candles, rows, updates, frames.',
          },
          'cps',
          { expr: hopRecords, legend: '{{hop}}' },
        ),
        lines({ title: 'Freshness of each hop', about: '95 of 100 took at most this long.' }, 's', {
          expr: hopSeconds,
          legend: '{{hop}}',
        }),
        lines(
          {
            title: 'Share of the budget',
            about: 'Above 100 % for five minutes, FreshnessOverBudget fires.',
          },
          'percentunit',
          { expr: `${hopSeconds} / on (hop) ${hopBudget}`, legend: '{{hop}}' },
        ),
        lines(
          { title: 'Lag in records' },
          'short',
          { expr: lagRecords, legend: '{{consumergroup}} {{topic}}' },
          { expr: 'gateway_view_lag_records', legend: 'gateway {{topic}}' },
        ),
        lines({ title: 'Lag in time', about: 'Age of the oldest record that is not read.' }, 's', {
          expr: lagSeconds,
          legend: '{{consumergroup}} {{topic}}',
        }),
        lines(
          {
            title: 'Watermarks behind the clock',
            about: 'Of the feeds in each partition: windows close no earlier.',
          },
          's',
          {
            expr: 'max by (feed) (aggregator_event_time_lag_seconds)',
            legend: '{{feed}}',
          },
        ),
      ],
    },
    {
      title: 'What is not as it should be',
      panels: [
        lines(
          {
            title: 'How full queues are',
            about: 'At 100 % reading stops, or a slow client is dropped.',
          },
          'percentunit',
          {
            expr: queueFullness,
            legend: '{{queue}}',
          },
        ),
        lines({ title: 'Quality of candles' }, 'cps', {
          expr: sumRate('aggregator_candles_total', { by: ['quality'] }),
          legend: '{{quality}}',
        }),
        lines(
          {
            title: 'Rejects',
            about: 'They are in the topic and the table rejected, each with its reason.',
          },
          'cps',
          { expr: rejects, legend: '{{service}} {{reason}}' },
        ),
        lines(
          { title: 'Duplicates dropped' },
          'cps',
          {
            expr: sumRate('ingest_duplicates_total', { by: ['venue', 'source'] }),
            legend: 'ingest {{venue}} {{source}}',
          },
          {
            expr: sumRate('pg_sink_duplicates_total', { by: ['known_by'] }),
            legend: 'pg-sink, known by {{known_by}}',
          },
        ),
        lines({ title: 'Revisions of candles' }, 'cps', {
          expr: sumRate('aggregator_revisions_total', { by: ['interval'] }),
          legend: '{{interval}}',
        }),
        lines({ title: 'Alerts that fire' }, 'short', {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          legend: '{{alertname}}',
        }),
      ],
    },
  ],
}
