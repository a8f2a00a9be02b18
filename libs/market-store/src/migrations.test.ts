import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { migrationsFile, renderMigrations } from '../generate-migrations.ts'
import { migrations } from './migrations.generated.ts'

it('the migrations that services carry are those in the SQL files', () => {
  expect(readFileSync(migrationsFile, 'utf8')).toBe(renderMigrations())
})

it('migrations are numbered from 0 without gaps', () => {
  expect(migrations.map(({ number }) => number)).toEqual([...migrations.keys()])
})
