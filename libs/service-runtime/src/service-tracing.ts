import { hostname } from 'node:os'

import { noTracing, startTracing } from '@tickertape/tracing'
import type { ExportEvents, Tracing, TracingConfig } from '@tickertape/tracing'
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

import { version } from './build-info.ts'
import type { Logger } from './logger.ts'

/** Least time between two lines about spans that nobody gets, in ms. */
const lineEveryMs = 60_000

export interface ServiceTracingOptions {
  readonly service: string
  readonly config: TracingConfig
  readonly logger: Logger
  readonly metrics: Registry
}

/** Tracing of a service, with its metrics and its line in the log. */
export async function startServiceTracing({
  service,
  config,
  logger,
  metrics,
}: ServiceTracingOptions): Promise<Tracing> {
  let tracing: Tracing = noTracing
  const counts = createTracingMetrics(metrics, () => tracing.waiting, config.queue.maxSpans)
  const tellDropped = boundedLine(logger)
  const events: ExportEvents = {
    spansSent: (count) => counts.sent.inc(count),
    spansDropped: (count, reason) => {
      counts.dropped.inc(count)
      tellDropped(count, reason)
    },
  }
  const instance = `${hostname()}-${process.pid}`
  tracing = await startTracing({ config, service, version, instance, events })
  return tracing
}

/** @param waiting asked at each scrape. */
export function createTracingMetrics(metrics: Registry, waiting: () => number, maxWaiting: number) {
  const registers = [metrics]
  const sent = new Counter({
    name: 'tracing_spans_sent_total',
    help: 'Spans that the exporter took',
    registers,
  })
  const dropped = new Counter({
    name: 'tracing_spans_dropped_total',
    help: 'Spans that nobody gets: the queue was full, or the exporter did not take them',
    registers,
  })
  const queue: Gauge = new Gauge({
    name: 'tracing_queue_spans',
    help: 'Spans that wait for the exporter',
    registers,
    collect: () => queue.set(waiting()),
  })
  const limit = new Gauge({
    name: 'tracing_queue_spans_limit',
    help: 'Most spans that may wait for the exporter (OTEL_BSP_MAX_QUEUE_SIZE)',
    registers,
  })
  limit.set(maxWaiting)
  return { sent, dropped }
}

/** One line at once, then one in a minute at most, which has the sum of what was not told. */
function boundedLine(logger: Logger): (count: number, reason: string) => void {
  let toldAt = -Infinity
  let untold = 0
  return (count, reason) => {
    untold += count
    const now = performance.now()
    if (now - toldAt < lineEveryMs) return
    logger.warn(
      { spans: untold, reason },
      'spans of traces are lost: check OTEL_TRACES_EXPORTER and its endpoint; nothing else is affected',
    )
    toldAt = now
    untold = 0
  }
}
