import { expect, it } from 'vitest'

import { SettingsError, readSettings } from './settings.ts'
import { tracingConfigOf, tracingSettings, withoutEmptyOtel } from './tracing-settings.ts'

function configOf(environment: Record<string, string>) {
  return tracingConfigOf(readSettings(tracingSettings, 'OTEL_BSP_', withoutEmptyOtel(environment)))
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    configOf(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

it('makes no spans unless an exporter is named', () => {
  expect(configOf({})).toEqual({
    exporter: 'none',
    endpoint: 'http://localhost:4318/v1/traces',
    serviceName: '',
    resource: {},
    queue: { maxSpans: 2_048, maxBatch: 512, delayMs: 5_000, timeoutMs: 30_000 },
  })
})

it('takes an empty variable for one that is not set', () => {
  expect(configOf({ OTEL_TRACES_EXPORTER: '', OTEL_BSP_SCHEDULE_DELAY: '' })).toEqual(configOf({}))
})

it.each([
  [{}, 'http://localhost:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1/base/' }, 'http://c:1/base/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1/x' }, 'http://c:1/x'],
])('OTLP spans go where the variables say: %j', (environment, endpoint) => {
  expect(configOf({ OTEL_TRACES_EXPORTER: 'otlp', ...environment }).endpoint).toBe(endpoint)
})

it("Zipkin's spans go to its endpoint as it is", () => {
  const endpoint = 'https://zipkin:9411/api/v2/spans'
  const config = configOf({
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint,
  })
  expect(config).toMatchObject({ exporter: 'zipkin', endpoint })
})

it('OTEL_SDK_DISABLED goes before the exporter', () => {
  expect(configOf({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }).exporter).toBe(
    'none',
  )
})

it('reads attributes of the resource, percent-encoded', () => {
  expect(configOf({ OTEL_RESOURCE_ATTRIBUTES: 'a.b=1, c=x%2Cy=z ,' }).resource).toEqual({
    'a.b': '1',
    c: 'x,y=z',
  })
})

it('refuses what it cannot do, all of it at once', () => {
  expect(
    problemsOf({
      OTEL_TRACES_EXPORTER: 'jaeger',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'zipkin:9411',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_RESOURCE_ATTRIBUTES: 'a',
      OTEL_BSP_SCHEDULE_DELAY: '5s',
    }),
  ).toEqual([
    'OTEL_TRACES_EXPORTER must be one of none, zipkin, otlp, got "jaeger"',
    'OTEL_EXPORTER_ZIPKIN_ENDPOINT must be an address that begins with http:// or https://, got "zipkin:9411"',
    'OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/json, got "grpc"',
    'OTEL_RESOURCE_ATTRIBUTES must be name=value pairs separated by commas, values percent-encoded, got "a"',
    'OTEL_BSP_SCHEDULE_DELAY must be an integer of at least 1 and at most 3600000, got "5s"',
  ])
})

// fetch() throws on such an address, and its message, which goes to the log, holds the password.
it('refuses an endpoint that holds a password, without telling it', () => {
  const problems = problemsOf({
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'http://me:secret@zipkin:9411/api/v2/spans',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me@collector:4318',
  })
  expect(problems).toHaveLength(2)
  expect(problems.join()).toContain('must hold no name and no password')
  expect(problems.join()).not.toContain('secret')
})

it('refuses a batch that does not fit into the queue', () => {
  expect(problemsOf({ OTEL_BSP_MAX_QUEUE_SIZE: '10' })).toEqual([
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE, which is 10, got "512"',
  ])
})
