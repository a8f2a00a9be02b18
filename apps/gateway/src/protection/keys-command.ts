import { Database, isOutage, isTableError } from '@tickertape/market-store'

import { newApiKey } from './api-key.ts'
import { KeysProblem } from './keys-arguments.ts'
import type { KeysCommand } from './keys-arguments.ts'

export interface KeysConfig {
  readonly databaseUrl: string
  readonly databaseSchema: string
}

export interface KeysOutput {
  /** What was asked for: a key, a list. A script can take it. */
  readonly result: (line: string) => void
  /** What to know of it. */
  readonly remark: (line: string) => void
}

interface KeyRow {
  readonly key_id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
}

const queryTimeoutMs = 10_000

/** @throws KeysProblem */
export async function runKeysCommand(
  { databaseUrl, databaseSchema }: KeysConfig,
  command: KeysCommand,
  output: KeysOutput,
): Promise<void> {
  await using database = new Database(databaseUrl, {
    applicationName: 'gateway-keys',
    maxConnections: 1,
    queryTimeoutMs,
    schema: databaseSchema,
  })
  try {
    if (command.verb === 'create') await create(database, command, output)
    else if (command.verb === 'list') await list(database, output)
    else await revoke(database, command.keyId, output)
  } catch (error) {
    throw toProblem(error, databaseSchema)
  }
}

async function create(
  database: Database,
  { name, scopes, expiresAt }: Extract<KeysCommand, { verb: 'create' }>,
  { result, remark }: KeysOutput,
): Promise<void> {
  const { keyId, text, secretHash } = newApiKey()
  await database.query({
    text: `insert into api_keys (key_id, secret_hash, name, scopes, created_at, expires_at)
      values ($1, $2, $3, $4, now(), $5)`,
    values: [keyId, secretHash, name, scopes, expiresAt === null ? null : new Date(expiresAt)],
  })
  const end = expiresAt === null ? 'no end' : `until ${new Date(expiresAt).toISOString()}`
  remark(`Key ${keyId} for ${name}: ${scopes.join(', ')}, ${end}.`)
  remark(
    'It is shown this once; only its hash is kept. It goes into the header Authorization: Bearer …',
  )
  result(text)
}

async function list(database: Database, { result, remark }: KeysOutput): Promise<void> {
  const { rows } = await database.query<KeyRow>(
    `select key_id, name, scopes, created_at, expires_at, revoked_at from api_keys
     order by created_at, key_id`,
  )
  if (rows.length === 0) remark('There are no keys.')
  for (const row of rows) {
    const facts = [
      row.key_id,
      stateOf(row),
      row.scopes.join(','),
      row.created_at.toISOString(),
      row.name,
    ]
    result(facts.join('  '))
  }
}

function stateOf({ expires_at: expiresAt, revoked_at: revokedAt }: KeyRow): string {
  if (revokedAt !== null) return `revoked ${revokedAt.toISOString()}`
  if (expiresAt === null) return 'stands'
  return `${expiresAt.getTime() <= Date.now() ? 'expired' : 'stands until'} ${expiresAt.toISOString()}`
}

async function revoke(database: Database, keyId: string, { remark }: KeysOutput): Promise<void> {
  const { count } = await database.query({
    text: 'update api_keys set revoked_at = now() where key_id = $1 and revoked_at is null',
    values: [keyId],
  })
  if (count === 0) {
    throw new KeysProblem(`No key ${keyId} stands: \`npm run keys -- list\` shows them all`)
  }
  remark(
    `Key ${keyId} is revoked. Each gateway knows within its GATEWAY_KEYS_RELOAD_MS (5 s unless set).`,
  )
}

function toProblem(error: unknown, schema: string): unknown {
  if (isTableError(error)) {
    return new KeysProblem(
      `The schema ${schema} of the database has no usable table api_keys: pg-sink of this version makes it when it starts (\`npm start\` runs all)`,
      { cause: error },
    )
  }
  if (isOutage(error)) {
    const reason = error instanceof Error ? error.message : String(error)
    return new KeysProblem(`The database does not answer (${reason}): see DATABASE_URL`, {
      cause: error,
    })
  }
  return error
}
