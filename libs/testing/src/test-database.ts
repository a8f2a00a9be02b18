import { Client } from 'pg'

import { testStack } from './config.ts'
import { uniqueName } from './unique-name.ts'

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
  await execute(databaseUrl, `create database "${name}"`)
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return {
    url: url.toString(),
    [Symbol.asyncDispose]: () =>
      execute(databaseUrl, `drop database if exists "${name}" with (force)`),
  }
}

async function execute(databaseUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
