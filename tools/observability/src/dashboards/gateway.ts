import type { DashboardPlan } from './dashboard.ts'
import { figure, lines } from './panels.ts'
import { levelBy, levelOf, rateBy, rateOf, spread, tailBy } from './queries.ts'

export const gateway: DashboardPlan = {
  name: 'gateway',
  title: 'Tickertape: gateway',
  about: 'What clients get: the view in memory, REST and the stream.',
  sections: [
    {
      title: 'Now',
      panels: [
        figure({ title: 'Serving' }, 'short', levelOf('gateway_serving', 'instances'), {
          warn: 1,
          bad: 0,
        }),
        figure({ title: 'Clients' }, 'short', levelOf('gateway_stream_clients', 'clients')),
        figure(
          { title: 'Subscriptions' },
          'short',
          levelOf('gateway_stream_subscriptions', 'subscriptions'),
        ),
        figure(
          { title: 'Requests a second' },
          'short',
          rateOf('gateway_http_requests_total', 'requests'),
        ),
        figure(
          { title: 'Records not in memory yet' },
          'short',
          levelOf('gateway_view_lag_records', 'records'),
          { warn: 10_000, bad: 100_000 },
        ),
        figure(
          { title: 'Views made anew' },
          'short',
          levelOf('gateway_view_resets_total', 'times'),
        ),
      ],
    },
    {
      title: 'The view',
      panels: [
        lines({ title: 'Records read' }, 'cps', rateBy(['topic'], 'gateway_view_records_total')),
        lines(
          { title: 'Updates made of them' },
          'cps',
          rateBy(['type'], 'gateway_view_updates_total'),
        ),
        lines(
          { title: 'Appended → in memory', about: '95 of 100, by topic.' },
          's',
          tailBy('topic', 'gateway_view_freshness_seconds', 'since="append"'),
        ),
        lines({ title: 'Lag in records' }, 'short', levelBy(['topic'], 'gateway_view_lag_records')),
        lines(
          { title: 'Records that cannot be used' },
          'cps',
          rateBy(['topic', 'reason'], 'gateway_view_skipped_records_total'),
        ),
        lines(
          { title: 'What was not available' },
          'cps',
          rateBy(['dependency'], 'gateway_retries_total'),
          rateOf('gateway_view_retries_total', 'the view'),
        ),
      ],
    },
    {
      title: 'REST',
      panels: [
        lines(
          { title: 'Requests by route' },
          'cps',
          rateBy(['route'], 'gateway_http_requests_total'),
        ),
        lines(
          { title: 'Requests by status' },
          'cps',
          rateBy(['status'], 'gateway_http_requests_total'),
        ),
        lines(
          { title: 'Arrival → end of the answer', about: '95 of 100, by route.' },
          's',
          tailBy('route', 'gateway_http_request_seconds'),
        ),
        lines({ title: 'Let in' }, 'cps', rateBy(['kind'], 'gateway_admitted_total')),
        lines({ title: 'Turned away' }, 'cps', rateBy(['code'], 'gateway_refused_total')),
        lines(
          { title: 'Keys and certificates that could not be read' },
          'cps',
          rateBy(['part'], 'gateway_protection_failures_total'),
        ),
      ],
    },
    {
      title: 'The stream',
      panels: [
        lines({ title: 'Frames written' }, 'cps', rateOf('gateway_stream_frames_total', 'frames')),
        lines(
          { title: 'Appended → on the sockets' },
          's',
          ...spread('gateway_stream_freshness_seconds'),
        ),
        lines(
          { title: 'Waiting for slow clients', about: 'Beyond its limit a client is dropped.' },
          'bytes',
          levelOf('gateway_stream_outbox_bytes', 'finals, trades and answers'),
          levelOf('gateway_stream_socket_bytes', 'in the sockets'),
        ),
        lines(
          { title: 'Left out for newer ones' },
          'cps',
          rateOf('gateway_stream_conflations_total', 'open candles and statistics'),
        ),
        lines(
          { title: 'Connections' },
          'cps',
          rateOf('gateway_stream_connections_total', 'opened'),
          rateBy(['reason'], 'gateway_stream_closes_total'),
        ),
        lines({ title: 'Resumed' }, 'cps', rateBy(['result'], 'gateway_stream_resumes_total')),
      ],
    },
  ],
}
