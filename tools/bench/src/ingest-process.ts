import { fileURLToPath } from 'node:url'

import type { RunningStack } from '@tickertape/stack'

import { symbols } from './binance-frames.ts'
import type { BinanceServer } from './binance-server.ts'
import { MeasuredService } from './measured-service.ts'

const main = fileURLToPath(new URL('../../../apps/ingest/src/main.ts', import.meta.url))

export interface IngestOptions {
  readonly stack: RunningStack
  readonly prefix: string
  readonly server: BinanceServer
  /** Folder for a CPU profile of the process, written when it stops. */
  readonly cpuProf: string | undefined
}

/** ingest as a process of its own, reading ten spot pairs, else with its defaults. */
export function startIngest({ stack, prefix, server, cpuProf }: IngestOptions): MeasuredService {
  return MeasuredService.start({
    name: 'ingest',
    main,
    environment: {
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      TOPIC_PREFIX: prefix,
      INGEST_VENUE: 'binance',
      INGEST_INSTRUMENTS: symbols.join(','),
      INGEST_WS_URL: server.webSocketUrl,
      INGEST_REST_URL: server.restUrl,
      INGEST_ADMIN_PORT: '0',
    },
    cpuProf,
  })
}
