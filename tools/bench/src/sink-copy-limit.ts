import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

import { Client } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

import type { SinkFill } from './sink-fill.ts'
import { requireTotals } from './sink-totals.ts'

const run = promisify(execFile)

/** What brings the rows back: the stack's own PostgreSQL comes without psql. */
export async function copyProgram(): Promise<'psql' | 'pg-copy-streams'> {
  try {
    await run('psql', ['--version'])
    return 'psql'
  } catch {
    return 'pg-copy-streams'
  }
}

/**
 * How fast PostgreSQL takes the rows that the sink has just written: they are copied into a file, the table
 * is emptied, its partitions and indexes staying, and `psql \copy` brings them back in one transaction.
 * Without psql the same COPY goes through pg-copy-streams.
 *
 * @param folder for the file, some 200 bytes a row.
 * @returns rows a second, from the start of psql to its end.
 */
export async function measureCopyLimit(
  databaseUrl: string,
  fill: SinkFill,
  folder: string,
): Promise<number> {
  const program = await copyProgram()
  const file = join(folder, 'trades.copy')
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const columns = await columnsOf(client)
    const out = client.query(copyTo(`copy (select ${columns} from trades) to stdout`))
    await pipeline(out, createWriteStream(file))
    await client.query('truncate trades')
    const began = performance.now()
    if (program === 'psql') {
      const command = `\\copy trades (${columns}) from '${file}'`
      await run('psql', [databaseUrl, '--no-psqlrc', '--quiet', '--command', command])
    } else {
      const into = client.query(copyFrom(`copy trades (${columns}) from stdin`))
      await pipeline(createReadStream(file), into)
    }
    const seconds = (performance.now() - began) / 1_000
    await requireTotals(databaseUrl, fill.table, fill.totals)
    return fill.rows / seconds
  } finally {
    await client.end()
    await rm(file, { force: true })
  }
}

/** Those that can be copied; generated ones cannot. */
async function columnsOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ names: string }>(
    `select string_agg(quote_ident(column_name), ', ' order by ordinal_position) as names
      from information_schema.columns
      where table_schema = current_schema and table_name = 'trades' and is_generated = 'NEVER'`,
  )
  const names = rows[0]?.names
  if (!names) throw new Error('The database of this bench has no table trades')
  return names
}
