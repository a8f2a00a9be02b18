import type { ServiceName } from './service-list.ts'

/**
 * One trade in so many begins a trace: of the simulator's 70 a second some three, so that there is something to
 * see at once, and of a live venue's busiest instruments no more than Zipkin keeps for minutes.
 */
const traceOneIn = 25

/** How long spans wait in a service, in ms: a person is looking. */
const exportDelayMs = 1_000

/**
 * Settings by which a service sends its traces to the stack's Zipkin. What the shell says of the same comes
 * after them.
 *
 * @param zipkinUrl undefined where it was not asked for: then none are set.
 */
export function tracingSettings(
  service: ServiceName,
  zipkinUrl: string | undefined,
): Record<string, string> {
  if (zipkinUrl === undefined || service === 'market-simulator') return {}
  return {
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${zipkinUrl}/api/v2/spans`,
    OTEL_BSP_SCHEDULE_DELAY: String(exportDelayMs),
    ...(service === 'ingest' ? { INGEST_TRACE_ONE_IN: String(traceOneIn) } : {}),
  }
}
