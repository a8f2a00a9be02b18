import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startSimulator } from '@tickertape/market-simulator'
import { startStack } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import { Road, roadServices } from '../src/index.ts'
import { ServedGateway } from './served-gateway.ts'

/** Few trades of one instrument begin a trace, so that one that closes a window is soon among them. */
const traceOneIn = 3

/** A stack of its own with Zipkin. */
export async function startTracedStack(): Promise<RunningStack> {
  return await startStack({
    folder: mkdtempSync(join(tmpdir(), 'tickertape-tracing-')),
    ports: 'free',
    temporary: true,
    with: ['zipkin'],
    onProgress: () => undefined,
  })
}

function isUp(road: Road): boolean {
  return roadServices.every((service) => {
    const { output, running } = road.process(service)
    if (!running) throw new Error(`${service} ended:\n${output}`)
    return output.includes('"msg":"started"')
  })
}

/** The whole system on a simulated market, every service of which sends its traces to the stack's Zipkin. */
export class TracedSystem implements AsyncDisposable {
  readonly zipkinUrl: string
  readonly road: Road
  readonly gateway: ServedGateway
  readonly #cleanup: AsyncDisposableStack

  private constructor(
    parts: Pick<TracedSystem, 'zipkinUrl' | 'road' | 'gateway'>,
    cleanup: AsyncDisposableStack,
  ) {
    this.zipkinUrl = parts.zipkinUrl
    this.road = parts.road
    this.gateway = parts.gateway
    this.#cleanup = cleanup
  }

  static async open(stack: RunningStack): Promise<TracedSystem> {
    await using building = new AsyncDisposableStack()
    const { zipkinUrl } = stack
    if (zipkinUrl === undefined) throw new Error('The stack was started without Zipkin')
    const tracing = {
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${zipkinUrl}/api/v2/spans`,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    }
    const simulator = building.use(await startSimulator({ limits: false, venues: ['deribit'] }))
    const road = building.use(
      await Road.open({
        stack,
        venue: 'deribit',
        instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
        wsUrl: simulator.deribitWsUrl,
        restUrl: simulator.deribitRestUrl,
        settings: { ...tracing, INGEST_TRACE_ONE_IN: String(traceOneIn) },
      }),
    )
    // All of them at once want more than two cores for their start.
    await waitUntil('the road to be up', () => isUp(road), { withinMs: 120_000 })
    const gateway = building.use(
      await ServedGateway.open({
        KAFKA_BROKERS: stack.kafkaBrokers,
        REGISTRY_URL: stack.registryUrl,
        DATABASE_URL: road.databaseUrl,
        TOPIC_PREFIX: road.topicPrefix,
        ...tracing,
      }),
    )
    const system = new TracedSystem({ zipkinUrl, road, gateway }, building.move())
    try {
      await waitUntil('the gateway to be ready', () => gateway.isReady(), { withinMs: 120_000 })
      return system
    } catch (error) {
      const { output } = system
      await system[Symbol.asyncDispose]()
      throw new Error(`The system did not start:\n${output}`, { cause: error })
    }
  }

  /** What its processes wrote last: why a wait was in vain. */
  get output(): string {
    return `${this.road.output}\n--- gateway\n${this.gateway.output}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]()
  }
}
