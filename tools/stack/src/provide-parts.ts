import { stackConfig } from './config.ts'
import { provideDownloads, provideZipkin } from './downloads.ts'
import type { DownloadOptions } from './maven-bundle.ts'
import { kafkaPart } from './kafka.ts'
import type { OptionalPartName, Part, PartPlace } from './part.ts'
import { requireFreePorts, securedPorts } from './ports.ts'
import { postgresPart } from './postgres.ts'
import { registryPart } from './registry.ts'
import { requireDisk, requireJava } from './requirements.ts'
import { zipkinPart } from './zipkin.ts'

export type ProvideOptions = Omit<DownloadOptions, 'cacheFolder'>

/**
 * Everything that a start needs, checked and downloaded before the first process is started.
 *
 * @throws {StackProblem} naming what is missing
 */
export async function provideParts(
  place: PartPlace,
  optional: readonly OptionalPartName[],
  options: ProvideOptions,
): Promise<readonly Part[]> {
  const { java, cacheFolder } = stackConfig()
  await requireJava(java)
  await requireDisk(place.folder, 1_000)
  await requireFreePorts(place.ports)
  await requireFreePorts(place.ports, optional)
  if (place.certificates !== undefined) await requireFreePorts(place.ports, securedPorts)
  const { kafkaJars, registryJar } = await provideDownloads({ ...options, cacheFolder })
  return [
    kafkaPart({ ...place, java, jars: kafkaJars }),
    registryPart({ ...place, java, jar: registryJar }),
    postgresPart(place),
    ...(await downloaded(place, optional, options)),
  ]
}

/** The same for what is added to a stack that is up. */
export async function provideOptionalParts(
  place: PartPlace,
  names: readonly OptionalPartName[],
  options: ProvideOptions,
): Promise<readonly Part[]> {
  if (names.length === 0) return []
  await requireJava(stackConfig().java)
  await requireFreePorts(place.ports, names)
  return downloaded(place, names, options)
}

async function downloaded(
  place: PartPlace,
  names: readonly OptionalPartName[],
  options: ProvideOptions,
): Promise<readonly Part[]> {
  const { java, cacheFolder } = stackConfig()
  const parts: Part[] = []
  if (names.includes('zipkin')) {
    const jar = await provideZipkin({ ...options, cacheFolder })
    parts.push(zipkinPart({ ...place, java, jar }))
  }
  return parts
}
