/**
 * Writes the SQL migrations into a TypeScript module: a bundled service has no .sql files beside it.
 *
 * Run: node libs/market-store/generate-migrations.ts, after drizzle-kit. A test fails while the written
 * module is stale.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('./migrations/', import.meta.url)

export const migrationsFile = fileURLToPath(
  new URL('./src/migrations.generated.ts', import.meta.url),
)

/** @throws Error if the files are not numbered 0000, 0001, … without a gap. */
export function renderMigrations(): string {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
  const entries = files.map((file, number) => {
    if (!file.startsWith(`${String(number).padStart(4, '0')}_`)) {
      throw new Error(`Migration number ${number} is missing: found ${file} in its place`)
    }
    const sql = readFileSync(new URL(file, folder), 'utf8')
    return `  {\n    number: ${number},\n    name: '${file.slice(0, -'.sql'.length)}',\n    sql: ${JSON.stringify(sql)},\n  },\n`
  })
  return `// Made by libs/market-store/generate-migrations.ts from the SQL migrations. Do not edit.\nexport const migrations = [\n${entries.join('')}] as const\n`
}

if (import.meta.main) writeFileSync(migrationsFile, renderMigrations())
