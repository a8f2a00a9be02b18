import { join } from 'node:path'
import { provideBundle } from './maven-bundle.ts'
import type { DownloadOptions, MavenBundle } from './maven-bundle.ts'

export const kafkaVersion = '4.3.1'
export const registryVersion = '3.0.9'
export const zipkinVersion = '3.6.1'

const registryArchive = `registry/apicurio-registry-app-${registryVersion}-all.tar.gz`
const registryJar = `registry/apicurio-registry-app-${registryVersion}-runner.jar`
const zipkinJar = `zipkin/zipkin-server-${zipkinVersion}-exec.jar`

/** What every stack runs on Java. */
const kafkaAndRegistry: MavenBundle = {
  name: `kafka-${kafkaVersion}-registry-${registryVersion}`,
  title: `Apache Kafka ${kafkaVersion} and Apicurio Registry ${registryVersion} (165 MB)`,
  goals: ['dependency:copy-dependencies@kafka', 'dependency:copy@registry'],
  checksums: 'checksums.txt',
  megabytesNeeded: 700,
  archives: new Map([[registryArchive, registryJar]]),
}

/** For those who ask for it: nearly as large as all the rest. */
const zipkin: MavenBundle = {
  name: `zipkin-${zipkinVersion}`,
  title: `Zipkin ${zipkinVersion} (135 MB)`,
  goals: ['dependency:copy@zipkin'],
  checksums: 'checksums-zipkin.txt',
  megabytesNeeded: 400,
  archives: new Map(),
}

export const bundles: readonly MavenBundle[] = [kafkaAndRegistry, zipkin]

export interface Downloads {
  /** A folder of jars, the whole classpath of Kafka. */
  readonly kafkaJars: string
  readonly registryJar: string
}

/** Kafka and the registry. Throws as `provideBundle` does. */
export async function provideDownloads(options: DownloadOptions): Promise<Downloads> {
  const folder = await provideBundle(kafkaAndRegistry, options)
  return { kafkaJars: join(folder, 'kafka'), registryJar: join(folder, registryJar) }
}

/** The jar that is Zipkin. Throws as `provideBundle` does. */
export async function provideZipkin(options: DownloadOptions): Promise<string> {
  return join(await provideBundle(zipkin, options), zipkinJar)
}
