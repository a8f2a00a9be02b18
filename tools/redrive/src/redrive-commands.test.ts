import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { commandsFor } from './redrive-commands.ts'

it.each([
  ['malformed', ['apps/ingest/src/redrive-main.ts']],
  ['not_storable', ['apps/pg-sink/src/redrive-main.ts']],
  ['future', ['apps/ingest/src/redrive-main.ts', 'apps/pg-sink/src/redrive-main.ts']],
] as const)('%s is put back by the services that reject for it', (reason, mains) => {
  expect(commandsFor(reason)).toEqual(mains)
  const root = join(import.meta.dirname, '..', '..', '..')
  for (const main of mains) expect(existsSync(join(root, main))).toBe(true)
})
