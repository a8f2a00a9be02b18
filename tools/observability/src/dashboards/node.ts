import { mean, sumRate } from '../promql.ts'
import type { DashboardPlan } from './dashboard.ts'
import { lines } from './panels.ts'
import type { Query } from './panels.ts'

const match = 'job=~"$job"'
const by = ['job', 'instance']
const legend = '{{job}} {{instance}}'

function level(metric: string, what = ''): Query {
  return { expr: `${metric}{${match}}`, legend: `${legend} ${what}`.trim() }
}

function rate(metric: string): Query {
  return { expr: sumRate(metric, { by, match }), legend }
}

export const node: DashboardPlan = {
  name: 'node',
  title: 'Tickertape: Node runtimes',
  about: 'Processor, memory, event loop and garbage of each process.',
  choices: [{ label: 'job', metric: 'tickertape_build_info' }],
  sections: [
    {
      title: 'Process',
      panels: [
        lines(
          { title: 'Processor', about: '100 % is one core.' },
          'percentunit',
          rate('process_cpu_seconds_total'),
        ),
        lines({ title: 'Resident memory' }, 'bytes', level('process_resident_memory_bytes')),
        lines({ title: 'Open files' }, 'short', level('process_open_fds')),
        lines({ title: 'Running since' }, 's', {
          expr: `time() - process_start_time_seconds{${match}}`,
          legend,
        }),
        lines(
          { title: 'What runs' },
          'short',
          level('tickertape_build_info', '{{version}} {{revision}} on Node {{node}}'),
        ),
        lines({ title: 'Handles' }, 'short', level('nodejs_active_handles_total')),
      ],
    },
    {
      title: 'Event loop',
      panels: [
        lines({ title: 'Delay, mean' }, 's', level('nodejs_eventloop_lag_mean_seconds')),
        lines({ title: 'Delay, 99 of 100' }, 's', level('nodejs_eventloop_lag_p99_seconds')),
        lines({ title: 'Delay, at most' }, 's', level('nodejs_eventloop_lag_max_seconds')),
      ],
    },
    {
      title: 'Memory and garbage',
      panels: [
        lines(
          { title: 'Heap' },
          'bytes',
          level('nodejs_heap_size_used_bytes', 'used'),
          level('nodejs_heap_size_total_bytes', 'reserved'),
        ),
        lines({ title: 'Outside of the heap' }, 'bytes', level('nodejs_external_memory_bytes')),
        lines({ title: 'Time spent on garbage', about: 'Share of one core.' }, 'percentunit', {
          expr: sumRate('nodejs_gc_duration_seconds_sum', { by: ['job', 'kind'], match }),
          legend: '{{job}} {{kind}}',
        }),
        lines({ title: 'A collection takes, mean' }, 's', {
          expr: mean('nodejs_gc_duration_seconds', { by: ['job', 'kind'], match }),
          legend: '{{job}} {{kind}}',
        }),
      ],
    },
    {
      title: 'Traces',
      panels: [
        lines({ title: 'Spans sent' }, 'cps', rate('tracing_spans_sent_total')),
        lines({ title: 'Spans dropped' }, 'cps', rate('tracing_spans_dropped_total')),
        lines({ title: 'Spans waiting' }, 'short', level('tracing_queue_spans')),
      ],
    },
  ],
}
