import { services } from '@tickertape/start'

/** The jobs of Prometheus: the services that have a `/metrics`, and their admin ports in a local run. */
export const scrapedServices: readonly ScrapedService[] = services
  .filter(({ name }) => name !== 'market-simulator')
  .map(({ name, port }) => ({ name, port }))

export interface ScrapedService {
  readonly name: string
  readonly port: number
}

/** Addresses of the local run, where each service has a port of 127.0.0.1. */
export function localTarget({ port }: ScrapedService): string {
  return `127.0.0.1:${port}`
}

/** Addresses among containers, where each service has a name. */
export function composeTarget({ name, port }: ScrapedService): string {
  return `${name}:${port}`
}
