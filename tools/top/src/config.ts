import { parseArgs } from 'node:util'

import { services } from '@tickertape/start'

import type { ServiceName } from './hops.ts'

export interface TopOptions {
  /** Print once and end. */
  readonly once: boolean
  readonly services: readonly ServiceAddress[]
}

export interface ServiceAddress {
  readonly name: ServiceName
  /** Of the admin port, without a path. */
  readonly url: string
}

/** In the order in which they are shown: the road's. */
const names: readonly ServiceName[] = ['ingest', 'aggregator', 'pg-sink', 'gateway']

export const usage = `Usage: npm run top [-- --once] [-- --ingest <url>] [--aggregator <url>] [--pg-sink <url>] [--gateway <url>]

  Shows what the running system does, each second: rates, freshness and lag of each hop, and how the services are.
  q or Ctrl-C leaves.

  --once        measures for a second, prints once and ends: exit code 1 if a service is down or not ready
  --ingest …    address of a service's admin port; without it that of npm start: http://127.0.0.1:9101 and so on.
                One that is given twice is shown twice.`

/** @throws Error with the usage for arguments that mean nothing. */
export function readOptions(args: readonly string[]): TopOptions | 'help' {
  try {
    const address = { type: 'string', multiple: true } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
        ingest: address,
        aggregator: address,
        'pg-sink': address,
        gateway: address,
      },
    })
    if (values.help) return 'help'
    const addresses = names.flatMap((name) =>
      (values[name] ?? [localAddress(name)]).map((url) => ({ name, url: origin(name, url) })),
    )
    return { once: values.once, services: addresses }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, {
      cause: error,
    })
  }
}

/** Colours are for terminals, and not for who does not want them (https://no-color.org). */
export function wantsColours(isTerminal: boolean): boolean {
  return isTerminal && !process.env['NO_COLOR']
}

function localAddress(service: ServiceName): string {
  const port = services.find(({ name }) => name === service)?.port
  return `http://127.0.0.1:${port}`
}

function origin(name: ServiceName, url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new Error(`--${name} must be an address such as ${localAddress(name)}, got "${url}"`)
  }
  return new URL(url).origin
}
