import { fileURLToPath } from 'node:url'

import { Road } from '@tickertape/end-to-end'
import { startSimulator } from '@tickertape/market-simulator'
import { ServiceProcess, freePort, testStack, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface Printed {
  readonly code: number | null
  readonly output: string
}

/** What `npm run top -- --once` prints of services at these ports. */
async function printOnce(ports: Readonly<Record<string, number>>): Promise<Printed> {
  await using run = ServiceProcess.start({
    main,
    arguments: [
      '--once',
      ...Object.entries(ports).flatMap(([name, port]) => [`--${name}`, `http://127.0.0.1:${port}`]),
    ],
    environment: {},
  })
  return { code: await run.exited(), output: run.output }
}

it('shows what the running system does, and who is down', async () => {
  const ports = {
    ingest: await freePort(),
    aggregator: await freePort(),
    'pg-sink': await freePort(),
    gateway: await freePort(),
  }
  await using simulator = await startSimulator({ limits: false, venues: ['deribit'] })
  await using road = await Road.open({
    stack: testStack(),
    venue: 'deribit',
    instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
    wsUrl: simulator.deribitWsUrl,
    restUrl: simulator.deribitRestUrl,
    settings: {
      INGEST_ADMIN_PORT: String(ports.ingest),
      AGGREGATOR_ADMIN_PORT: String(ports.aggregator),
      PG_SINK_ADMIN_PORT: String(ports['pg-sink']),
    },
  })
  const { output, code } = await waitUntil(
    'trades, records and rows in the view',
    async () => {
      const printed = await printOnce(ports)
      const moving = ['ingest → Kafka', 'Kafka → aggregator', 'Kafka → PostgreSQL']
      const ready = ['ingest', 'aggregator', 'pg-sink']
      const isShown =
        moving.every((hop) => new RegExp(`^${hop} +[1-9]`, 'm').test(printed.output)) &&
        ready.every((name) => new RegExp(`^${name} .* ready$`, 'm').test(printed.output))
      return isShown ? printed : undefined
    },
    { withinMs: 180_000 },
  ).catch((error: unknown) => {
    throw new Error(road.output, { cause: error })
  })
  // Nobody has started a gateway.
  expect(output).toMatch(/^gateway +down: http:/m)
  expect(code).toBe(1)
  expect(output).not.toContain('\u001B')
  for (const line of output.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})
