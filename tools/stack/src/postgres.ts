import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { certifiedName, type CertificateFiles } from './certificates.ts'
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

const caFile = 'ca.pem'
const certificateFile = 'server.pem'
const keyFile = 'server.key'
const hbaFile = 'pg_hba.conf'

const hostRules = `hostssl all ${certifiedName} all cert\nhost all all all scram-sha-256\n`

function securedSettings(home: string): Readonly<Record<string, string>> {
  return {
    ssl: 'on',
    ssl_ca_file: join(home, caFile),
    ssl_cert_file: join(home, certificateFile),
    ssl_key_file: join(home, keyFile),
    hba_file: join(home, hbaFile),
  }
}

export function postgresPart({ folder, ports, certificates }: PartPlace): Part {
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
      `CREATE ROLE ${name} LOGIN CREATEDB PASSWORD '${name}';\nCREATE DATABASE ${name} OWNER ${name};\n${
        certificates === undefined ? '' : `CREATE ROLE ${certifiedName} LOGIN;\n`
      }`,
    )
    await rename(fresh, data)
  }

  /** Copies, for PostgreSQL wants its key to be its own, and a rule for the role that needs no password. */
  async function secure({ ca, serverCertificate, serverKey }: CertificateFiles): Promise<void> {
    const user = await findPostgresUser()
    const copies = { [caFile]: ca, [certificateFile]: serverCertificate, [keyFile]: serverKey }
    await writeFile(join(home, hbaFile), hostRules)
    for (const [file, from] of Object.entries(copies)) await copyFile(from, join(home, file))
    for (const file of [hbaFile, ...Object.keys(copies)]) {
      await chmod(join(home, file), 0o600)
      if (user !== undefined) await chown(join(home, file), user.uid, user.gid)
    }
  }

  return {
    name: 'postgres',
    title: `PostgreSQL ${postgresVersion}`,
    port: ports.postgres,

    async prepare() {
      await mkdir(home, { recursive: true })
      if (!existsSync(data)) await initialise()
      if (certificates !== undefined) await secure(certificates)
    },

    async command() {
      const values = Object.entries({
        ...settings,
        port: String(ports.postgres),
        ...(certificates === undefined ? {} : securedSettings(home)),
      })
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
