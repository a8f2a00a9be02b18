import { Counter, Gauge, Histogram, createKafkaClientMetrics } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'
import { traceFields } from '@tickertape/tracing'
import type { SpanContext } from '@tickertape/tracing'

/** Everything that happens in the gateway and that somebody outside should know of. */
export type GatewayEvents = ReturnType<typeof createEvents>

/** What the gateway waits for when it cannot go on. */
export type Dependency = 'database' | 'registry' | 'kafka'

export interface AnsweredRequest {
  /** As it was registered, with the names of its parameters: few of them. */
  readonly route: string
  readonly method: string
  readonly status: number
  readonly seconds: number
}

export interface FailedRequest {
  readonly requestId: string
  readonly url: string
  /** Of a request that came in a sampled trace. */
  readonly trace: SpanContext | undefined
}

const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

export function createEvents({
  logger,
  metrics,
  readiness,
}: Pick<ServiceContext, 'logger' | 'metrics' | 'readiness'>) {
  const registers = [metrics]
  const kafka = createKafkaClientMetrics(metrics)
  const requests = new Counter({
    name: 'gateway_http_requests_total',
    help: 'HTTP requests answered, by route, method and status',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const requestSeconds = new Histogram({
    name: 'gateway_http_request_seconds',
    help: 'From the arrival of an HTTP request to the end of its answer, by route',
    labelNames: ['route'],
    buckets: seconds,
    registers,
  })
  const retries = new Counter({
    name: 'gateway_retries_total',
    help: 'Attempts that failed and are made again, by what was not available',
    labelNames: ['dependency'],
    registers,
  })
  const serving = new Gauge({
    name: 'gateway_serving',
    help: '1 while requests are answered, 0 while the gateway waits for what it depends on',
    registers,
  })
  let isCatalogStale = false
  return {
    kafka,
    /** Requests are taken from now on, and refused as not ready until `serving`. */
    listening(origin: string): void {
      readiness.waitFor('serving', 'opening what requests are answered from')
      logger.info({ origin }, `listening on ${origin}`)
    },
    serving(): void {
      readiness.ready('serving')
      serving.set(1)
      logger.info('serving')
    },
    requestAnswered({ route, method, status, seconds: took }: AnsweredRequest): void {
      requests.inc({ route, method, status: String(status) })
      requestSeconds.observe({ route }, took)
    },
    requestFailed(error: unknown, { requestId, url, trace }: FailedRequest): void {
      const message = error instanceof Error ? error.message : String(error)
      logger.error(
        { err: error, requestId, url, ...traceFields(trace) },
        `a request failed: ${message}`,
      )
    },
    catalogStale(error: unknown): void {
      const message = error instanceof Error ? error.message : String(error)
      if (!isCatalogStale) {
        logger.warn(
          { err: error },
          `the database does not answer: history is not served (${message})`,
        )
      }
      isCatalogStale = true
      retries.inc({ dependency: 'database' })
      readiness.degrade('history', `the database does not answer: ${message}`)
    },
    catalogFresh(): void {
      if (isCatalogStale) logger.info('the database answers again')
      isCatalogStale = false
      readiness.ready('history')
    },
    unavailable(dependency: Dependency, error: unknown, retryInMs: number): void {
      retries.inc({ dependency })
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor(dependency, `${dependency} is not available: ${message}`)
      logger.warn(
        { err: error, dependency, retryInMs },
        `${dependency} is not available: trying on`,
      )
    },
    available(dependency: Dependency): void {
      readiness.ready(dependency)
    },
  }
}
