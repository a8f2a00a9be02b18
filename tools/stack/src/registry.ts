import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { registryVersion } from './downloads.ts'
import type { Part, PartPlace } from './part.ts'
import { host } from './ports.ts'

export interface RegistryPlace extends PartPlace {
  readonly java: string
  readonly jar: string
}

/** The address of the Confluent-compatible API, as services' settings take it. */
export function registryUrl(port: number): string {
  return `http://${host}:${port}/apis/ccompat/v7`
}

export function registryPart({ folder, ports, java, jar, certificates }: RegistryPlace): Part {
  const home = join(folder, 'registry')
  const temporary = join(home, 'tmp')
  const url = registryUrl(ports.registry)
  const request = (path: string, init?: RequestInit) =>
    fetch(url + path, { ...init, signal: AbortSignal.timeout(5_000) })

  return {
    name: 'registry',
    title: `Apicurio Registry ${registryVersion}`,
    port: ports.registry,

    async prepare() {
      await rm(temporary, { recursive: true, force: true })
      await mkdir(temporary, { recursive: true })
    },

    async command() {
      // WRITE_DELAY=0 makes a commit wait for the file. By default H2 writes half a second later,
      // and a registry killed in between would give the lost schema's id to another schema.
      const database = `jdbc:h2:file:${join(home, 'registry')};WRITE_DELAY=0`
      const properties = {
        'apicurio.storage.kind': 'sql',
        'apicurio.storage.sql.kind': 'h2',
        'apicurio.datasource.url': database,
        'apicurio.datasource.jdbc.initial-size': '1',
        'apicurio.datasource.jdbc.min-size': '1',
        'apicurio.datasource.jdbc.max-size': '10',
        'apicurio.import.work-dir': temporary,
        'apicurio.storage.snapshot.location': temporary,
        'quarkus.http.host': host,
        'quarkus.http.port': String(ports.registry),
        'quarkus.http.access-log.enabled': 'false',
        // A line for each schema that is registered.
        'quarkus.log.category."io.apicurio.registry.logging.audit".level': 'WARN',
        ...(certificates === undefined
          ? {}
          : {
              'quarkus.http.ssl-port': String(ports.registryTls),
              'quarkus.http.ssl.certificate.files': certificates.serverCertificate,
              'quarkus.http.ssl.certificate.key-files': certificates.serverKey,
            }),
        'java.io.tmpdir': temporary,
      }
      return {
        file: java,
        args: [
          // Its start is most of what it ever computes: 2.8 s of CPU time with the quick compiler
          // alone and one thread for garbage, 6.1 s with the JVM's own choice.
          '-XX:TieredStopAtLevel=1',
          '-XX:+UseSerialGC',
          '-Xmx256m',
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
      const response = await request('/subjects')
      await response.body?.cancel()
      return response.ok
    },

    /** Apicurio's own default accepts any schema. */
    async settle() {
      const response = await request('/config', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ compatibility: 'BACKWARD' }),
      })
      const body = await response.text()
      if (!response.ok) {
        throw new Error(
          `PUT ${url}/config answered ${response.status}: ${body}, where it was to set the global compatibility to BACKWARD`,
        )
      }
    },
  }
}
