import { kafkaVersion, registryVersion } from './downloads.ts'
import { postgresVersion } from './postgres-binaries.ts'

/** What the stack runs, by name. */
export const stackVersions: Readonly<Record<string, string>> = {
  kafka: kafkaVersion,
  'apicurio-registry': registryVersion,
  postgresql: postgresVersion,
}
