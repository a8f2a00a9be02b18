import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Command, Part, PartPlace } from './part.ts'
import { host } from './ports.ts'
import { findPostgresBinaries, postgresVersion } from './postgres-binaries.ts'
import { asPostgresUser, findPostgresUser } from './postgres-user.ts'
import { runCommand } from './run-command.ts'

/** Role, password and database of the services. */
const name = 'tickertape'

export function databaseUrl(port: number): string {
  return `postgres://${name}:${name}@${host}:${port}/${name}`
}

const settings = {
  listen_addresses: host,
  // TCP alone: a socket file would lie outside the stack's folder.
  unix_socket_directories: '',
  // Services, tests with a pool each, and a person looking on.
  max_connections: '200',
  track_commit_timestamp: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %u@%d ',
}

export function postgresPart({ folder, ports }: PartPlace): Part {
  const home = join(folder, 'postgres')
  const data = join(home, 'data')

  /** Runs a binary as the user that the data belongs to. */
  async function command(binary: 'postgres' | 'initdb', args: readonly string[]): Promise<Command> {
    const binaries = await findPostgresBinaries()
    const user = await findPostgresUser()
    const plain = { file: binaries[binary], args, folder: '/' }
    return user === undefined ? plain : asPostgresUser(plain, user, home)
  }

  /** Initialises aside, roles and database included, so that what has the final name is whole. */
  async function initialise(): Promise<void> {
    const user = await findPostgresUser()
    const fresh = join(home, 'data.new')
    const passwordFile = join(home, 'superuser-password')
    await rm(fresh, { recursive: true, force: true })
    await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 })
    if (user !== undefined) {
      await chown(home, user.uid, user.gid)
      await chown(passwordFile, user.uid, user.gid)
    }
    const flags = [
      `--pgdata=${fresh}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts by code point, on every machine alike.
      '--locale-provider=builtin',
      '--locale=C.UTF-8',
      '--no-instructions',
      // Costs seconds on a slow disk, and an initialisation that is cut short is done again.
      '--no-sync',
    ]
    await runCommand(await command('initdb', flags))
    const singleUser = await command('postgres', ['--single', '-D', fresh, 'postgres'])
    await runCommand(
      singleUser,
      `CREATE ROLE ${name} LOGIN CREATEDB PASSWORD '${name}';\nCREATE DATABASE ${name} OWNER ${name};\n`,
    )
    await rename(fresh, data)
  }

  return {
    name: 'postgres',
    title: `PostgreSQL ${postgresVersion}`,
    port: ports.postgres,

    async prepare() {
      await mkdir(home, { recursive: true })
      if (!existsSync(data)) await initialise()
    },

    async command() {
      const values = Object.entries({ ...settings, port: String(ports.postgres) })
      return command('postgres', [
        '-D',
        data,
        ...values.flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      ])
    },

    async isReady() {
      const client = new pg.Client({
        connectionString: databaseUrl(ports.postgres),
        connectionTimeoutMillis: 2_000,
        query_timeout: 2_000,
      })
      // A connection that breaks later than its query does not end the process.
      client.on('error', () => undefined)
      try {
        await client.connect()
        await client.query('select 1')
        return true
      } finally {
        await client.end()
      }
    },
  }
}
