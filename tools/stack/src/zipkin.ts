import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { zipkinVersion } from './downloads.ts'
import type { Part, PartPlace } from './part.ts'
import { host } from './ports.ts'

export interface ZipkinPlace extends PartPlace {
  readonly java: string
  readonly jar: string
}

/** Spans that are kept in memory before the oldest traces go: about a kilobyte each. */
const mostSpans = 100_000

/** What people open, and the base of the API (`/api/v2/…`). */
export function zipkinUrl(port: number): string {
  return `http://${host}:${port}`
}

/** Keeps traces in memory alone: they end with it. */
export function zipkinPart({ folder, ports, java, jar }: ZipkinPlace): Part {
  const home = join(folder, 'zipkin')
  const temporary = join(home, 'tmp')

  return {
    name: 'zipkin',
    title: `Zipkin ${zipkinVersion}`,
    port: ports.zipkin,

    async prepare() {
      await rm(temporary, { recursive: true, force: true })
      await mkdir(temporary, { recursive: true })
    },

    async command() {
      // As properties of the JVM, for these outrank what the shell's environment says of the same.
      const properties = {
        'armeria.ports[0].ip': host,
        'armeria.ports[0].port': String(ports.zipkin),
        'armeria.ports[0].protocols[0]': 'http',
        'zipkin.storage.type': 'mem',
        'zipkin.storage.mem.max-spans': String(mostSpans),
        // Spans come over HTTP, whatever addresses of other programs stand in the environment.
        'zipkin.collector.activemq.enabled': 'false',
        'zipkin.collector.grpc.enabled': 'false',
        'zipkin.collector.kafka.enabled': 'false',
        'zipkin.collector.pulsar.enabled': 'false',
        'zipkin.collector.rabbitmq.enabled': 'false',
        'zipkin.discovery.eureka.enabled': 'false',
        'java.io.tmpdir': temporary,
      }
      return {
        file: java,
        args: [
          // As with the registry: its start is most of what it ever computes.
          '-XX:TieredStopAtLevel=1',
          '-XX:+UseSerialGC',
          '-Xmx384m',
          '-XX:+ExitOnOutOfMemoryError',
          '-XX:-UsePerfData',
          ...Object.entries(properties).map(([key, value]) => `-D${key}=${value}`),
          '-jar',
          jar,
        ],
        folder: home,
      }
    },

    async isReady() {
      const response = await fetch(`${zipkinUrl(ports.zipkin)}/health`, {
        signal: AbortSignal.timeout(5_000),
      })
      await response.body?.cancel()
      return response.ok
    },
  }
}
