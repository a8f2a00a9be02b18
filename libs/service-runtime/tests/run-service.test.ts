import { fileURLToPath } from 'node:url'

import { ServiceProcess, waitUntil } from '@tickertape/testing'
import { startSpanSink } from '@tickertape/tracing/testing'
import type { SpanSink } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('demo-service.ts', import.meta.url))

function startDemo(environment: Readonly<Record<string, string>> = {}): ServiceProcess {
  return ServiceProcess.start({ main, environment })
}

/** Spans wait for an hour: what comes before was sent at the end. */
function tracingTo(sink: SpanSink, exporter: 'otlp' | 'zipkin'): Readonly<Record<string, string>> {
  return {
    OTEL_TRACES_EXPORTER: exporter,
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${sink.url}/api/v2/spans`,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  }
}

/** The port that it logs once it is up. */
async function adminOf(demo: ServiceProcess): Promise<string> {
  const port = await waitUntil('the start', () => /"adminPort":(\d+)/.exec(demo.output)?.[1])
  return `http://127.0.0.1:${port}`
}

describe('a service', () => {
  it('tells that it lives, that it is ready, and its metrics', async () => {
    await using demo = startDemo()
    const admin = await adminOf(demo)
    expect((await fetch(`${admin}/livez`)).status).toBe(200)
    const ready = await fetch(`${admin}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ready: true, reasons: [], degraded: [] },
    ])
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    expect(metrics).toMatch(/process_cpu_seconds_total\{service="demo"\} \d/)
  })

  it('lives but is not ready while it waits, and says for what', async () => {
    await using demo = startDemo({ DEMO_MODE: 'waits' })
    const admin = await adminOf(demo)
    expect((await fetch(`${admin}/livez`)).status).toBe(200)
    const answer = await fetch(`${admin}/readyz`)
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ready: false, reasons: [{ subject: 'moon', reason: 'it has not risen' }], degraded: [] },
    ])
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and ends with code 0', async (signal) => {
    await using demo = startDemo()
    await adminOf(demo)
    expect(await demo.stop(signal)).toBe(0)
    expect(demo.output).toContain('"msg":"drained"')
  })

  it('that fails at work drains and ends with code 1 and the reason', async () => {
    await using demo = startDemo({ DEMO_MODE: 'fails' })
    expect(await demo.exited()).toBe(1)
    expect(demo.output).toContain('stopped: the moon fell')
    expect(demo.output).toContain('"msg":"drained"')
  })

  it('that cannot start ends with code 1 and the reason', async () => {
    await using demo = startDemo({ DEMO_MODE: 'cannot start' })
    expect(await demo.exited()).toBe(1)
    expect(demo.output).toContain('stopped: the moon is down')
  })

  it('with settings that cannot be used tells all of them and no stack trace', async () => {
    await using demo = startDemo({ DEMO_MODE: 'rests', DEMO_SPEED: '1' })
    expect(await demo.exited()).toBe(1)
    expect(demo.output).toBe(`demo: Settings that cannot be used:
  DEMO_MODE must be one of works, waits, fails, cannot start, got "rests"
  DEMO_SPEED is no setting of this service; it knows DEMO_ADMIN_PORT, DEMO_MODE
`)
  })

  it('with variables of OpenTelemetry that cannot be used does not start', async () => {
    await using demo = startDemo({ DEMO_MODE: 'rests', OTEL_TRACES_EXPORTER: 'jaeger' })
    expect(await demo.exited()).toBe(1)
    expect(demo.output).toBe(`demo: Settings that cannot be used:
  DEMO_MODE must be one of works, waits, fails, cannot start, got "rests"
  OTEL_TRACES_EXPORTER must be one of none, zipkin, otlp, got "jaeger"
`)
  })

  it('names the admin port that another process has', async () => {
    await using first = startDemo()
    const { port } = new URL(await adminOf(first))
    await using second = startDemo({ DEMO_ADMIN_PORT: port })
    expect(await second.exited()).toBe(1)
    expect(second.output).toContain(`The admin port 127.0.0.1:${port} is taken`)
  })
})

describe('the traces of a service', () => {
  it('are sent when it ends, with its name, version and what its environment says', async () => {
    await using sink = await startSpanSink()
    await using demo = startDemo(tracingTo(sink, 'zipkin'))
    const admin = await adminOf(demo)
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    expect(metrics).toContain('tracing_queue_spans{service="demo"} 1')
    expect(metrics).toContain('tracing_queue_spans_limit{service="demo"} 2048')
    expect(sink.spans).toEqual([])
    expect(await demo.stop('SIGTERM')).toBe(0)
    expect(sink.spans).toMatchObject([
      {
        name: 'start',
        localEndpoint: { serviceName: 'demo' },
        tags: {
          'deployment.environment.name': 'test',
          'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
        },
      },
    ])
  })

  it.each(['zipkin', 'otlp'] as const)(
    'do not keep it from ending well where %s never answers',
    async (exporter) => {
      await using sink = await startSpanSink('never')
      await using demo = startDemo(tracingTo(sink, exporter))
      await adminOf(demo)
      expect(await demo.stop('SIGTERM'), demo.output).toBe(0)
      expect(sink.requests).toHaveLength(1)
      expect(demo.output).toContain('spans of traces are lost')
    },
  )
})
