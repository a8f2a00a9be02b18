import { Client } from 'pg'

import { testStack } from './config.ts'
import { uniqueName } from './unique-name.ts'
import { waitUntil } from './wait-until.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
}

/**
 * An empty database of the test's own, dropped when disposed.
 *
 * @param databaseUrl of a database on the same server, whose role may create others.
 */
export async function testDatabase(
  databaseUrl: string = testStack().databaseUrl,
): Promise<TestDatabase> {
  const name = uniqueName('test').replaceAll('-', '_')
  await withClient(databaseUrl, (client) => client.query(`create database "${name}"`))
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return {
    url: url.toString(),
    [Symbol.asyncDispose]: () => withClient(databaseUrl, (client) => drop(client, name)),
  }
}

/**
 * Sessions of killed services are ended first. `with (force)` would do that too, but it is refused where
 * an autovacuum worker, which is not ours to end, is at work; a plain drop sends that one away.
 */
async function drop(client: Client, name: string): Promise<void> {
  await waitUntil(
    `database ${name} to be dropped`,
    async () => {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = $1 and usename = current_user`,
        [name],
      )
      await client.query(`drop database if exists "${name}"`)
      return true
    },
    { withinMs: 30_000 },
  )
}

async function withClient(
  databaseUrl: string,
  use: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
