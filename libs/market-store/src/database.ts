import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

export interface DatabaseOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  /** Most connections at a time; 2 unless given. */
  readonly maxConnections?: number
  /** Where tables are looked for and made: the search path of every connection; `public` unless given. */
  readonly schema?: string
  /** Longest wait for the answer to one statement, in ms; no limit unless given. */
  readonly queryTimeoutMs?: number
}

/** A statement with its parameters. A name makes PostgreSQL keep the plan for the connection. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

export interface QueryResult<Row> {
  readonly rows: readonly Row[]
  /** Rows that the statement touched. */
  readonly count: number
}

/** One connection inside of a transaction. */
export interface Transaction {
  query<Row = unknown>(statement: Statement | string): Promise<QueryResult<Row>>
  /**
   * Sends rows with `copy … from stdin`.
   *
   * @param chunks the rows in the format that the statement names; a chunk may end within a row. They
   *   must stay as they are until the copy is done.
   * @returns how many rows.
   */
  copy(statement: string, chunks: Iterable<Uint8Array>): Promise<number>
  /**
   * Runs statements under a savepoint: if `run` throws, what they did is undone, the error goes on to the
   * caller, and the transaction can be used further.
   */
  savepoint<T>(run: (transaction: Transaction) => Promise<T>): Promise<T>
}

/** One connection outside of a transaction: for what PostgreSQL refuses within one. */
export interface Session {
  query<Row = unknown>(statement: Statement | string): Promise<QueryResult<Row>>
}

const connectTimeoutMs = 5_000

/**
 * A client that is frozen or gone within a transaction holds its locks until the server ends it, and
 * whoever takes its work over waits for them.
 */
const idleInTransactionMs = 10_000

/**
 * A pool of connections that outlives the server: a broken connection is thrown away, and the next
 * statement opens a new one. Numerics and bigints come out as text, times as Date.
 */
export class Database implements AsyncDisposable {
  readonly #pool: pg.Pool

  constructor(url: string, options: DatabaseOptions) {
    this.#pool = new pg.Pool({
      ...inSchema(url, options.schema ?? 'public'),
      application_name: options.applicationName,
      max: options.maxConnections ?? 2,
      connectionTimeoutMillis: connectTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      keepAlive: true,
      ...(options.queryTimeoutMs === undefined ? {} : { query_timeout: options.queryTimeoutMs }),
    })
    // A connection may break between two statements, in the pool or in a transaction: without these
    // listeners that ends the process. The next statement fails, or gets another connection.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /** @throws what PostgreSQL or the connection says; `isOutage` tells what will pass. */
  async query<Row = unknown>(statement: Statement | string): Promise<QueryResult<Row>> {
    return toResult<Row>(await this.#pool.query(toQuery(statement)))
  }

  /**
   * Runs statements in one transaction, which commits if `run` returns.
   *
   * If the connection breaks during the commit, whether it counts is not known: `run` must be safe to
   * run again.
   */
  async transaction<T>(run: (transaction: Transaction) => Promise<T>, begin = 'begin'): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query(begin)
      const result = await run(new OpenTransaction(client))
      await client.query('commit')
      client.release()
      return result
    } catch (error) {
      // Closing the connection ends the transaction, whatever state either is in.
      client.release(true)
      throw error
    }
  }

  /** Runs statements on one connection, which is closed behind them: settings and locks end with it. */
  async session<T>(run: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      return await run({
        query: async <Row>(statement: Statement | string) =>
          toResult<Row>(await client.query(toQuery(statement))),
      })
    } finally {
      client.release(true)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }
}

class OpenTransaction implements Transaction {
  readonly #client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  async query<Row = unknown>(statement: Statement | string): Promise<QueryResult<Row>> {
    return toResult<Row>(await this.#client.query(toQuery(statement)))
  }

  async copy(statement: string, chunks: Iterable<Uint8Array>): Promise<number> {
    const rows = this.#client.query(copyFrom(statement))
    // Not by pipeline(): it destroys the stream of a failed statement, which is no longer one of the
    // connection's by then.
    return await new Promise<number>((resolve, reject) => {
      rows.on('error', reject)
      rows.on('finish', () => resolve(rows.rowCount))
      for (const chunk of chunks) rows.write(chunk)
      rows.end()
    })
  }

  async savepoint<T>(run: (transaction: Transaction) => Promise<T>): Promise<T> {
    // One name serves all: PostgreSQL takes the innermost of that name.
    await this.#client.query('savepoint inner_part')
    try {
      const result = await run(this)
      await this.#client.query('release savepoint inner_part')
      return result
    } catch (error) {
      await this.#client
        .query('rollback to savepoint inner_part; release savepoint inner_part')
        // Of a broken connection; the first error tells more.
        .catch(() => undefined)
      throw error
    }
  }
}

/**
 * The search path is a parameter of the connection's start: no statement can come before it. Options of
 * the URL's own stay.
 */
function inSchema(url: string, schema: string): pg.PoolConfig {
  // The server splits options at spaces, and takes a backslash for an escape.
  const path = `"${schema.replaceAll('"', '""')}"`.replaceAll(/[\\\s]/g, String.raw`\$&`)
  const options = `-c search_path=${path}`
  if (!/[?&](options|sslmode)=/.test(url)) return { connectionString: url, options }
  const at = new URL(url)
  // The modes as libpq has them: without this the driver takes require and verify-ca for verify-full.
  if (at.searchParams.has('sslmode')) at.searchParams.set('uselibpqcompat', 'true')
  // Those of the URL would take the place of ours.
  const own = at.searchParams.get('options') ?? ''
  at.searchParams.delete('options')
  return { connectionString: at.toString(), options: `${own} ${options}`.trim() }
}

function toQuery(statement: Statement | string): pg.QueryConfig {
  if (typeof statement === 'string') return { text: statement }
  const { name, text, values } = statement
  return {
    text,
    ...(name === undefined ? {} : { name }),
    ...(values === undefined ? {} : { values: [...values] }),
  }
}

function toResult<Row>(result: pg.QueryResult): QueryResult<Row> {
  // Rows are what the statement selects; its author knows their columns.
  return { rows: result.rows as Row[], count: result.rowCount ?? 0 }
}
