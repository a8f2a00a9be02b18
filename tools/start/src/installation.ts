import { ensureTopics } from '@tickertape/kafka-avro'
import type { StackAddresses } from '@tickertape/stack'
import { Client } from 'pg'

/** Topics and a database that belong together. */
export interface Installation extends StackAddresses {
  readonly topicPrefix: string
}

/**
 * Each live venue has an installation of its own beside the simulator's: a simulated trade and a real one
 * of the same name must never meet, for their sequences have nothing to do with each other.
 *
 * @param venue undefined for the simulator, which has the names that all settings default to.
 */
export async function prepareInstallation(
  stack: StackAddresses,
  venue: string | undefined,
): Promise<Installation> {
  const topicPrefix = venue === undefined ? '' : `${venue}.`
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix: topicPrefix })
  if (venue === undefined) return { ...stack, topicPrefix }
  return { ...stack, topicPrefix, databaseUrl: await ensureDatabase(stack.databaseUrl, venue) }
}

/** What checks this installation; the plain command where its names are the defaults. */
export function verifyCommand({ topicPrefix, databaseUrl }: Installation): string {
  if (topicPrefix === '') return 'npm run verify'
  return `TOPIC_PREFIX=${topicPrefix} DATABASE_URL=${databaseUrl} npm run verify`
}

/** Rows that the sink has written into this database in all earlier runs. */
export async function storedRows({ databaseUrl }: Installation): Promise<number> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ count: string }>(
      "select count(*) from information_schema.tables where table_name in ('trades', 'candles', 'rejected')",
    )
    // The sink makes the tables at its first start.
    if (Number(tables[0]?.count) < 3) return 0
    const { rows } = await client.query<{ count: string }>(
      `select (select count(*) from trades) + (select count(*) from candles)
              + (select count(*) from rejected) as count`,
    )
    return Number(rows[0]?.count)
  } finally {
    await client.end()
  }
}

async function ensureDatabase(databaseUrl: string, venue: string): Promise<string> {
  const url = new URL(databaseUrl)
  const name = `${url.pathname.slice(1)}_${venue}`
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    // The name is made of a venue that readOptions has checked.
    if (rowCount === 0) await client.query(`create database "${name}"`)
  } finally {
    await client.end()
  }
  url.pathname = `/${name}`
  return url.toString()
}
