import { createRequire } from 'node:module'

import { stackVersions as versionsOfStack } from '@tickertape/stack'

/** What a figure was measured with, by name. */
export function stackVersions(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url)
  // Every package has a version in its package.json.
  const client = require('@confluentinc/kafka-javascript/package.json') as { version: string }
  return {
    node: process.version.slice(1),
    ...versionsOfStack,
    'kafka-javascript': client.version,
  }
}
