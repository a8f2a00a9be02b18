import { createHash } from 'node:crypto'

import { Database } from './database.ts'
import type { Transaction } from './database.ts'
import { MarketStoreError } from './errors.ts'
import { migrations as ownMigrations } from './migrations.generated.ts'

export interface Migration {
  /** 0 first, without gaps. */
  readonly number: number
  readonly name: string
  readonly sql: string
}

/** Chosen once; every version of every service that migrates this database takes the same lock. */
const migrationLock = 743_820_195

export interface MigrateOptions {
  /** Where the tables are, and the record of what was applied; made if missing. `public` unless given. */
  readonly schema?: string
  readonly migrations?: readonly Migration[]
}

/**
 * Brings a schema to this version's tables: applies the migrations that are missing, in one
 * transaction, under an advisory lock, so that any number of services can start at once.
 *
 * @returns names of the migrations that were applied.
 * @throws MarketStoreError `database_newer` if the database knows migrations that this version does not,
 *   `migration_changed` if one that was applied reads differently now; nothing is changed then.
 */
export async function migrate(
  databaseUrl: string,
  { schema = 'public', migrations = ownMigrations }: MigrateOptions = {},
): Promise<readonly string[]> {
  await using database = new Database(databaseUrl, {
    applicationName: 'tickertape-migrate',
    maxConnections: 1,
    schema,
  })
  return await database.transaction(async (transaction) => {
    await transaction.query({
      text: 'select pg_advisory_xact_lock($1, hashtext($2))',
      values: [migrationLock, schema],
    })
    await requireSchema(transaction, schema)
    await transaction.query(
      `create table if not exists schema_migrations (
        number integer primary key,
        name text not null,
        sha256 text not null,
        applied_at timestamptz not null default now()
      )`,
    )
    const applied = await appliedMigrations(transaction)
    requireKnown(applied, migrations)
    const missing = migrations.slice(applied.length)
    for (const migration of missing) await apply(transaction, migration)
    return missing.map(({ name }) => name)
  })
}

/**
 * What of this version's migrations a database lacks, for a service that reads tables which another one migrates.
 *
 * @returns names, in order.
 * @throws MarketStoreError as `migrate`.
 */
export async function missingMigrations(
  database: Pick<Database, 'query'>,
  migrations: readonly Migration[] = ownMigrations,
): Promise<readonly string[]> {
  const { rows } = await database.query<{ exists: boolean }>(
    "select to_regclass('schema_migrations') is not null as exists",
  )
  const applied = rows[0]?.exists === true ? await appliedMigrations(database) : []
  requireKnown(applied, migrations)
  return migrations.slice(applied.length).map(({ name }) => name)
}

/** Not `create schema if not exists` at once: that takes a permission even where the schema is there. */
async function requireSchema(transaction: Transaction, schema: string): Promise<void> {
  const { count } = await transaction.query({
    text: 'select from pg_namespace where nspname = $1',
    values: [schema],
  })
  if (count === 0) await transaction.query(`create schema "${schema.replaceAll('"', '""')}"`)
}

interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

async function appliedMigrations(
  transaction: Pick<Transaction, 'query'>,
): Promise<readonly AppliedMigration[]> {
  const { rows } = await transaction.query<AppliedMigration>(
    'select number, name, sha256 from schema_migrations order by number',
  )
  return rows
}

function requireKnown(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  const last = applied.at(-1)
  if (last !== undefined && last.number >= migrations.length) {
    throw new MarketStoreError(
      'database_newer',
      `The database has migration ${last.name}, which this version does not know (its last is ${migrations.at(-1)?.name ?? 'none'}): run the newer version, or restore a backup from before it`,
    )
  }
  for (const { number, name, sha256 } of applied) {
    const migration = migrations[number]
    if (migration === undefined || sha256 === digest(migration)) continue
    throw new MarketStoreError(
      'migration_changed',
      `Migration ${name} was applied to this database with other statements than this version's ${migration.name}: migrations are never edited; run the version that the database belongs to`,
    )
  }
}

async function apply(transaction: Transaction, migration: Migration): Promise<void> {
  await transaction.query(migration.sql)
  await transaction.query({
    text: 'insert into schema_migrations (number, name, sha256) values ($1, $2, $3)',
    values: [migration.number, migration.name, digest(migration)],
  })
}

function digest({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex')
}
