import { hopLines } from './hops.ts'
import type { HopLine, ServiceName } from './hops.ts'
import { rate } from './measure.ts'
import type { Span } from './measure.ts'
import type { Paint } from './paint.ts'
import type { Standing } from './service-history.ts'

/** One service at one address. */
export interface ShownService {
  readonly name: ServiceName
  readonly url: string
  readonly standing: Standing
}

export interface ScreenOptions {
  readonly paint: Paint
  /** Lines are cut there. */
  readonly columns: number
  /** Beside the title. */
  readonly clock: string
  readonly hint: string
}

/** The whole view, line by line: the road first, then the services. */
export function screen(
  services: readonly ShownService[],
  options: ScreenOptions,
): readonly string[] {
  const { paint, columns, clock, hint } = options
  const cut = (text: string): string =>
    text.length > columns ? `${text.slice(0, columns - 1)}…` : text
  const title = `Tickertape  ${clock}`
  const heading =
    paint('bold', title) + paint('dim', hint === '' ? '' : hint.padStart(columns - title.length))
  const road = hopLines((name) => spanOf(services, name))
  return [
    heading,
    '',
    paint('dim', cut(hopRow('hop', 'a second', 'median', '95 %', 'waiting'))),
    ...road.map((line) => cut(hopText(line))),
    '',
    paint(
      'dim',
      cut(serviceRow('service', 'processor', 'memory', 'loop p99', 'rejects/s', 'state')),
    ),
    ...services.flatMap((service) => serviceLines(service, paint, cut)),
  ]
}

/** Of several instances the first that is up: each tells of its own. */
function spanOf(services: readonly ShownService[], wanted: ServiceName): Span | undefined {
  for (const { name, standing } of services) {
    if (name === wanted && standing.state === 'up') return standing.span
  }
  return undefined
}

function hopText({ title, perSecond, median, tail, waiting }: HopLine): string {
  return hopRow(title, whole(perSecond), duration(median), duration(tail), waiting)
}

function hopRow(title: string, ...[rate, median, tail, waiting]: readonly string[]): string {
  return `${title.padEnd(20)}${(rate ?? '').padStart(9)}${(median ?? '').padStart(9)}${(tail ?? '').padStart(9)}   ${waiting ?? ''}`.trimEnd()
}

function serviceRow(
  name: string,
  ...[cpu, memory, loop, rejects, state]: readonly string[]
): string {
  return `${name.padEnd(12)}${(cpu ?? '').padStart(9)}${(memory ?? '').padStart(9)}${(loop ?? '').padStart(10)}${(rejects ?? '').padStart(11)}   ${state ?? ''}`.trimEnd()
}

function serviceLines(
  { name, url, standing }: ShownService,
  paint: Paint,
  cut: (text: string) => string,
): readonly string[] {
  if (standing.state === 'down') {
    return [paint('red', cut(`${name.padEnd(12)}down: ${url} (${standing.reason})`))]
  }
  const { readiness, span } = standing
  const row = serviceRow(
    name,
    percent(rate(span, 'process_cpu_seconds_total')),
    megabytes(span.now.sum('process_resident_memory_bytes')),
    // 0 is what a loop tells that was asked a moment ago by somebody else.
    duration(span.now.sum('nodejs_eventloop_lag_p99_seconds') || undefined),
    decimal(rejectRate(span, name)),
    readiness.ready ? 'ready' : 'not ready',
  )
  const colour = readiness.ready ? (readiness.reasons.length > 0 ? 'yellow' : 'green') : 'yellow'
  return [
    paint(colour, cut(row)),
    ...[...readiness.reasons, ...troubles(span)].map((text) => paint('yellow', cut(`  ${text}`))),
  ]
}

/** Nothing is told of a reason that has not come yet: a service without rejects has a rate of 0. */
function rejectRate(span: Span, name: ServiceName): number | undefined {
  if (name === 'gateway') return rate(span, 'gateway_view_skipped_records_total') ?? 0
  return rate(span, `${name.replace('-', '_')}_rejected_total`) ?? 0
}

/** What a service is ready in spite of. */
function troubles({ now }: Span): readonly string[] {
  const found: string[] = []
  const gaps = now.sum('ingest_open_gaps') ?? 0
  if (gaps > 0) {
    const oldest = duration(now.max('ingest_oldest_open_gap_seconds'))
    found.push(`${whole(gaps)} gaps open, the oldest begins ${oldest} ago`)
  }
  if (now.sum('ingest_connected') === 0) found.push('no connection to the venue')
  if ((now.sum('aggregator_paused') ?? 0) > 0)
    found.push('partitions are paused: too many open trades')
  if ((now.sum('pg_sink_paused') ?? 0) > 0)
    found.push('reading is paused: the database takes no more')
  return found
}

function whole(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-US')
}

function decimal(value: number | undefined): string {
  if (value === undefined) return '-'
  return value === 0 || value >= 10 ? whole(value) : value.toFixed(1)
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${Math.round(value * 100)} %`
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${Math.round(bytes / 1_000_000)} MB`
}

function duration(seconds: number | undefined): string {
  if (seconds === undefined || Number.isNaN(seconds)) return '-'
  if (seconds < 0.0095) return `${(seconds * 1000).toFixed(1)} ms`
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 100) return `${seconds.toFixed(1)} s`
  return `${whole(seconds)} s`
}
