import { fileURLToPath } from 'node:url'

import type { RunningStack } from '@tickertape/stack'

import { MeasuredService } from './measured-service.ts'

const main = fileURLToPath(new URL('../../../apps/gateway/src/main.ts', import.meta.url))

export interface GatewayRun {
  readonly stack: RunningStack
  readonly prefix: string
  readonly databaseUrl: string
  /** Folder for a CPU profile of the process, written when it stops. */
  readonly cpuProf: string | undefined
  /** With the built dashboard, where pages are asked for. */
  readonly dashboardFolder?: string | undefined
}

export interface BenchGateway extends AsyncDisposable {
  readonly service: MeasuredService
  /** 127.0.0.1:port */
  readonly host: string
}

/** The gateway as a process of its own, else with its defaults but for limits on who asks how much. */
export async function startGateway({
  stack,
  prefix,
  databaseUrl,
  cpuProf,
  dashboardFolder,
}: GatewayRun): Promise<BenchGateway> {
  const service = MeasuredService.start({
    name: 'gateway',
    main,
    environment: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: prefix,
      DATABASE_URL: databaseUrl,
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_RATE_LIMIT: '0',
      GATEWAY_STREAM_CONNECTIONS_PER_ADDRESS: '5000',
      ...(dashboardFolder === undefined ? {} : { GATEWAY_DASHBOARD_FOLDER: dashboardFolder }),
    },
    cpuProf,
  })
  await service.joined()
  const host = service.said(/listening on http:\/\/([\d.:]+)/)
  if (host === undefined) throw new Error('The gateway has not said where it listens')
  return {
    service,
    host,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}
