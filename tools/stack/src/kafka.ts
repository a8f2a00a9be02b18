import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaVersion } from './downloads.ts'
import { brokersIn } from './kafka-metadata.ts'
import type { Part, PartPlace } from './part.ts'
import { host } from './ports.ts'
import { parseProperties, renderProperties } from './properties.ts'
import { runCommand } from './run-command.ts'
import { scramUsers, securedListeners } from './secured-kafka.ts'

/** Shared with the containers, which append their own listeners and folders. */
const sharedFolder = join(import.meta.dirname, '..', '..', '..', 'docker', 'kafka')

export interface KafkaPlace extends PartPlace {
  readonly java: string
  readonly jars: string
}

export function kafkaPart({ folder, ports, java, jars, certificates }: KafkaPlace): Part {
  const home = join(folder, 'kafka')
  const data = join(home, 'data')
  const temporary = join(home, 'tmp')
  const classpath = ['-cp', join(jars, '*')]
  const javaOptions = [
    ...classpath,
    `-Dlog4j2.configurationFile=${join(sharedFolder, 'log4j2.properties')}`,
    `-Djava.io.tmpdir=${temporary}`,
    '-XX:-UsePerfData',
  ]

  async function writeServerProperties(file: string, logDirs: string): Promise<string> {
    const shared = parseProperties(await readFile(join(sharedFolder, 'broker.properties'), 'utf8'))
    const broker = `PLAINTEXT://${host}:${ports.kafka}`
    const path = join(home, file)
    const secured = certificates === undefined ? undefined : securedListeners(ports, certificates)
    const brokers = [broker, ...(secured?.listeners ?? [])].join(',')
    const ownPairs: [string, string][] = [
      ['listeners', `${brokers},CONTROLLER://${host}:${ports.kafkaController}`],
      ['advertised.listeners', brokers],
      ...(secured?.pairs ?? []),
      ['controller.quorum.voters', `1@${host}:${ports.kafkaController}`],
      ['log.dirs', logDirs],
    ]
    await writeFile(path, renderProperties(new Map([...shared, ...ownPairs])))
    return path
  }

  return {
    name: 'kafka',
    title: `Apache Kafka ${kafkaVersion}`,
    port: ports.kafka,

    async prepare() {
      await rm(temporary, { recursive: true, force: true })
      await mkdir(temporary, { recursive: true })
      if (existsSync(data)) return
      // Formatted aside and renamed, so that a start that is killed here leaves no half of it.
      const fresh = join(home, 'data.new')
      await rm(fresh, { recursive: true, force: true })
      const properties = await writeServerProperties('format.properties', fresh)
      const format = ['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', properties]
      const users = certificates === undefined ? [] : scramUsers()
      await runCommand({
        file: java,
        // It runs for half a second: compiling it well would take longer than that.
        args: ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...javaOptions, ...format, ...users],
        folder: home,
      })
      await rm(properties)
      await rename(fresh, data)
    },

    async command() {
      const properties = await writeServerProperties('server.properties', data)
      const heap = ['-Xms256m', '-Xmx512m', '-XX:+ExitOnOutOfMemoryError']
      return {
        file: java,
        args: [...heap, ...javaOptions, 'kafka.Kafka', properties],
        folder: home,
      }
    },

    async isReady() {
      const brokers = await brokersIn({ host, port: ports.kafka, timeoutMs: 2_000 })
      return brokers.some((broker) => broker.port === ports.kafka)
    },
  }
}

/** A Kafka Uuid: 16 random bytes in base64url, not beginning with the sign of an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}
