import { parseArgs } from 'node:util'

import { venueNames } from '@tickertape/market-simulator'
import { readOptionalParts } from '@tickertape/stack'
import type { OptionalPartName } from '@tickertape/stack'

import type { ServiceName } from './service-list.ts'

export interface StartOptions {
  /** A live venue; undefined for the simulator. */
  readonly venue: string | undefined
  /** Undefined for the venue's default. */
  readonly instruments: string | undefined
  /** What of the stack runs besides. */
  readonly with: readonly OptionalPartName[]
}

export interface RunPlace {
  /** Holds the stack's data and all logs. */
  readonly folder: string
  readonly ports: 'default' | 'free'
}

/** The others are the system's own: only the simulator speaks for them. */
const liveVenues: readonly string[] = venueNames.filter(
  (name) => name !== 'otc' && name !== 'swaps',
)

export const usage = `Usage: npm start [-- [--venue <venue> [--instruments <instrument,…>]] [--with zipkin]]

  --venue        a live venue: ${liveVenues.join(', ')}. Without it the built-in market simulator runs.
  --instruments  the venue's own names, comma separated: --venue binance --instruments BTCUSDT,ETHUSDT
  --with         zipkin: Zipkin runs as well, and every service sends it traces.`

/** @throws Error with the usage for arguments that mean nothing. */
export function readOptions(args: readonly string[]): StartOptions | 'help' {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        venue: { type: 'string' },
        instruments: { type: 'string' },
        with: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return 'help'
    if (values.venue !== undefined && !liveVenues.includes(values.venue)) {
      throw new Error(`--venue must be one of ${liveVenues.join(', ')}, got "${values.venue}"`)
    }
    const optional = readOptionalParts(values.with ?? [])
    return { venue: values.venue, instruments: values.instruments, with: optional }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, {
      cause: error,
    })
  }
}

/** Where the gateway serves REST, stream and dashboard. */
export const gatewayPort = Number(process.env['GATEWAY_PORT'] ?? 8080)

/** What a service inherits from the shell: its own settings, those of OpenTelemetry, and what Node needs. */
export function inheritedEnvironment(service: ServiceName): Record<string, string> {
  const prefixes = [`${service.toUpperCase().replaceAll('-', '_')}_`, 'OTEL_']
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        (['PATH', 'HOME', 'LOG_LEVEL', 'TZ'].includes(entry[0]) ||
          prefixes.some((prefix) => entry[0].startsWith(prefix))),
    ),
  )
}
