import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { gatewayPort } from './config.ts'
import { services } from './service-list.ts'
import type { ServiceName } from './service-list.ts'

/** Port of each program's HTTP interface on 127.0.0.1, and the one where the gateway serves everybody. */
export type ServicePorts = Readonly<Record<ServiceName | 'public', number>>

const root = new URL('../../../', import.meta.url)

export function mainFile(project: string): string {
  return fileURLToPath(new URL(`${project}/src/main.ts`, root))
}

/** Where the local run keeps its data and logs, unless it is told otherwise. */
export const defaultFolder = fileURLToPath(new URL('.tickertape/', root))

export async function servicePorts(choice: 'default' | 'free'): Promise<ServicePorts> {
  const ports: Partial<Record<ServiceName | 'public', number>> = {
    public: choice === 'free' ? await freePort() : gatewayPort,
  }
  for (const { name, port } of services) ports[name] = choice === 'free' ? await freePort() : port
  // Every name has got one.
  return ports as ServicePorts
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  // A TCP server's address is an object.
  return (address as AddressInfo).port
}
