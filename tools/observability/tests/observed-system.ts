import { fileURLToPath } from 'node:url'

import { createClient } from '@tickertape/client'
import { Road } from '@tickertape/end-to-end'
import type { RoadService } from '@tickertape/end-to-end'
import { startSimulator } from '@tickertape/market-simulator'
import type { RunningSimulator } from '@tickertape/market-simulator'
import {
  ServiceProcess,
  TcpProxy,
  byWayOf,
  freePort,
  testStack,
  waitUntil,
} from '@tickertape/testing'
import { stringify } from 'yaml'

import { Pace, alertFile, prometheusConfig, recordingFile } from '../src/index.ts'
import { Prometheus } from './prometheus.ts'

/** 5 minutes of the rules are 15 seconds. */
const pace = new Pace(20)
const gatewayMain = fileURLToPath(new URL('../../../apps/gateway/src/main.ts', import.meta.url))
const instrument = 'deribit:BTC-PERPETUAL'

type Service = RoadService | 'gateway'

/** The whole system on a simulated market in real time, a client that reads it, and a Prometheus that scrapes it. */
export class ObservedSystem implements AsyncDisposable {
  readonly prometheus: Prometheus
  readonly road: Road
  /** The way to the venue's history, which can be shut. */
  readonly history: TcpProxy
  readonly #venue: Venue
  readonly #gateway: ServiceProcess
  readonly #cleanup: AsyncDisposableStack

  private constructor(
    parts: Pick<ObservedSystem, 'prometheus' | 'road' | 'history'>,
    venue: Venue,
    gateway: ServiceProcess,
    cleanup: AsyncDisposableStack,
  ) {
    this.prometheus = parts.prometheus
    this.road = parts.road
    this.history = parts.history
    this.#venue = venue
    this.#gateway = gateway
    this.#cleanup = cleanup
  }

  static async open(): Promise<ObservedSystem> {
    await using building = new AsyncDisposableStack()
    const ports = await servicePorts()
    const venue = building.use(await Venue.open())
    const history = building.use(await TcpProxy.to(`127.0.0.1:${venue.port}`))
    const stack = testStack()
    const road = building.use(
      await Road.open({
        stack,
        venue: 'deribit',
        instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
        wsUrl: venue.wsUrl,
        restUrl: byWayOf(history, venue.restUrl),
        settings: {
          INGEST_ADMIN_PORT: String(ports.ingest),
          AGGREGATOR_ADMIN_PORT: String(ports.aggregator),
          PG_SINK_ADMIN_PORT: String(ports['pg-sink']),
        },
      }),
    )
    const publicPort = await freePort()
    const gateway = building.use(
      ServiceProcess.start({
        main: gatewayMain,
        environment: {
          KAFKA_BROKERS: stack.kafkaBrokers,
          REGISTRY_URL: stack.registryUrl,
          DATABASE_URL: road.databaseUrl,
          TOPIC_PREFIX: road.topicPrefix,
          GATEWAY_PORT: String(publicPort),
          GATEWAY_ADMIN_PORT: String(ports.gateway),
        },
      }),
    )
    const prometheus = building.use(await Prometheus.start(configuration(ports)))
    const parts = { prometheus, road, history }
    const system = new ObservedSystem(parts, venue, gateway, building)
    await readMarket(`http://127.0.0.1:${publicPort}`, building).catch((error: unknown) => {
      throw new Error(system.output, { cause: error })
    })
    return new ObservedSystem(parts, venue, gateway, building.move())
  }

  /** What its processes wrote last: why a wait was in vain. */
  get output(): string {
    return `${this.road.output}\n--- gateway\n${this.#gateway.output.slice(-6_000)}`
  }

  /** Has the simulator do something to what it sends, by its own control interface. */
  async fault(name: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#venue.fault(name, details)
  }

  async killVenue(): Promise<void> {
    await this.#venue.kill()
  }

  async restartVenue(): Promise<void> {
    await this.#venue.start()
  }

  /** A process that is stopped answers nobody, and its connections stay open. */
  signal(service: RoadService, signal: 'SIGSTOP' | 'SIGCONT'): void {
    const { pid } = this.road.process(service)
    if (pid === undefined) throw new Error(`${service} does not run`)
    process.kill(pid, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]()
  }
}

/** Asks for what the metrics of REST and stream tell of, and stays subscribed until the cleanup. */
async function readMarket(url: string, cleanup: AsyncDisposableStack): Promise<void> {
  const client = createClient({ url })
  cleanup.defer(() => client.close())
  await waitUntil(
    'the gateway to serve candles',
    async () => {
      const { candles } = await client.candles({ instrument, interval: '1s' })
      return candles.length > 0
    },
    { withinMs: 240_000 },
  )
  const stream = client.stream()
  stream.candles({ instruments: [instrument], intervals: ['1s'] }, { event: () => undefined })
}

/** The market simulator at an address that stays its own. */
class Venue implements AsyncDisposable {
  #simulator: RunningSimulator
  #runs = true

  private constructor(simulator: RunningSimulator) {
    this.#simulator = simulator
  }

  static async open(): Promise<Venue> {
    return new Venue(await simulate(0))
  }

  get port(): number {
    return this.#simulator.port
  }

  get wsUrl(): string {
    return this.#simulator.deribitWsUrl
  }

  get restUrl(): string {
    return this.#simulator.deribitRestUrl
  }

  async fault(name: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await fetch(`${this.#simulator.controlUrl}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(details),
    })
    if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`)
  }

  async kill(): Promise<void> {
    if (this.#runs) await this.#simulator[Symbol.asyncDispose]()
    this.#runs = false
  }

  async start(): Promise<void> {
    this.#simulator = await simulate(this.port)
    this.#runs = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

async function simulate(port: number): Promise<RunningSimulator> {
  return await startSimulator({ port, rate: 0.5, limits: false, venues: ['deribit'] })
}

async function servicePorts(): Promise<Readonly<Record<Service, number>>> {
  return {
    ingest: await freePort(),
    aggregator: await freePort(),
    'pg-sink': await freePort(),
    gateway: await freePort(),
  }
}

function configuration(ports: Readonly<Record<Service, number>>): ReadonlyMap<string, string> {
  const services = Object.entries(ports).map(([name, port]) => ({ name, port }))
  const config = prometheusConfig({
    services,
    targetOf: ({ port }) => `127.0.0.1:${port}`,
    everySeconds: 1,
    ruleFiles: ['rules/*.yml'],
  })
  return new Map([
    ['prometheus.yml', stringify(config)],
    ['rules/recording.yml', stringify(recordingFile(pace))],
    ['rules/alerts.yml', stringify(alertFile('docs/runbook.md', pace))],
  ])
}
