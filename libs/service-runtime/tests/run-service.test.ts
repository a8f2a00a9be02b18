import { fileURLToPath } from 'node:url'

import { ServiceProcess, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('demo-service.ts', import.meta.url))

function startDemo(environment: Readonly<Record<string, string>> = {}): ServiceProcess {
  return ServiceProcess.start({ main, environment })
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

  it('names the admin port that another process has', async () => {
    await using first = startDemo()
    const { port } = new URL(await adminOf(first))
    await using second = startDemo({ DEMO_ADMIN_PORT: port })
    expect(await second.exited()).toBe(1)
    expect(second.output).toContain(`The admin port 127.0.0.1:${port} is taken`)
  })
})
