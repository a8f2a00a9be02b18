import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
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
}: GatewayRun): Promise<BenchGateway> {
  const port = await freePort()
  const service = MeasuredService.start({
    name: 'gateway',
    main,
    environment: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: prefix,
      DATABASE_URL: databaseUrl,
      GATEWAY_PORT: String(port),
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_RATE_LIMIT: '0',
      GATEWAY_STREAM_CONNECTIONS_PER_ADDRESS: '5000',
    },
    cpuProf,
  })
  await service.joined()
  return {
    service,
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
