import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { request as forward } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  EventProducer,
  Registry,
  TransactionalProducer,
  createLogReader,
  ensureTopics,
  fetchPartition,
  logReaderKinds,
  readPartition,
  topicOffsets,
  topicRetention,
  type KafkaConnection,
  type LogReaderKind,
} from '@tickertape/kafka-avro'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type RunningStack, type SecuredAccess } from '../src/index.ts'

const hasOpenssl = isThere('openssl')
const skipped = hasOpenssl ? '' : ' (skipped: it takes openssl, which is not here)'
const startMs = 600_000
const kinds = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN', 'certificate', 'encrypted key'] as const

describe.skipIf(!hasOpenssl)(`a secured stack${skipped}`, () => {
  let stack: RunningStack
  let access: SecuredAccess

  beforeAll(async () => {
    stack = await startStack({
      folder: mkdtempSync(join(tmpdir(), 'tickertape-secured-')),
      ports: 'free',
      secured: true,
      temporary: true,
      onProgress: () => undefined,
    })
    if (stack.secured === undefined) throw new Error('the stack is not secured')
    access = stack.secured
  }, startMs)
  afterAll(async () => await stack?.[Symbol.asyncDispose](), startMs)

  function connectionBy(kind: (typeof kinds)[number]): KafkaConnection {
    const byCertificate = access.kafkaByCertificate
    if (kind === 'certificate') return byCertificate
    if (kind !== 'encrypted key') return access.kafkaBySasl(kind)
    const keyFile = access.certificates.clientKeyEncrypted
    const keyPassword = access.clientKeyPassword
    return { ...byCertificate, tls: { ...byCertificate.tls, keyFile, keyPassword } }
  }

  describe.each(kinds)('by %s', (kind) => {
    it('lets every client of Kafka write and read', async () => {
      const connection = connectionBy(kind)
      const prefix = `${kind.replaceAll(' ', '-')}.`
      const topic = `${prefix}candles`
      const clientId = prefix
      await ensureTopics({ connection, prefix, partitions: 1 })
      const record = (value: string) => ({
        topic,
        partition: 0,
        key: 'k',
        value: Buffer.from(value),
      })
      {
        await using producer = await EventProducer.open({ connection, clientId })
        producer.produce(record('plain'))
        await producer.acknowledged()
      }
      await using transactions = await TransactionalProducer.open({
        connection,
        clientId,
        transactionalId: prefix,
      })
      await transactions.begin()
      await transactions.produce(record('in a transaction'))
      await transactions.commit()

      const range = { topic, partition: 0, from: 'earliest', to: 'end' } as const
      const written = ['plain', 'in a transaction']
      expect(await valuesOf(readPartition({ connection, clientId }, range))).toEqual(written)
      expect(await valuesOf(fetchPartition({ connection, clientId }, range))).toEqual(written)
      for (const reader of logReaderKinds) {
        expect(await readByGroup(reader, connection, topic)).toEqual(written)
      }
      // Two records and the marker of the transaction.
      expect((await topicOffsets(connection, topic))[0]?.high).toBe(3)
      expect((await topicRetention(connection, [topic])).size).toBe(1)
    })
  })

  describe('turned down', () => {
    const otherAuthority = (): KafkaConnection => ({
      ...access.kafkaBySasl('PLAIN'),
      tls: { caFile: access.certificates.otherCa },
    })
    const wrongPassword = (): KafkaConnection => {
      const { sasl, ...connection } = access.kafkaBySasl('SCRAM-SHA-512')
      if (sasl === undefined) throw new Error('there is no password to be wrong')
      return { ...connection, sasl: { ...sasl, password: 'wrong-one' } }
    }
    const noCertificate = (): KafkaConnection => ({
      ...access.kafkaByCertificate,
      tls: { caFile: access.certificates.ca },
    })

    it.each([
      ['an authority that we do not trust', otherAuthority, 'KAFKA_SSL_CA_FILE'],
      ['a wrong password', wrongPassword, 'does not let tickertape in by SCRAM-SHA-512'],
      ['a certificate that is missing', noCertificate, 'KAFKA_SSL_CERTIFICATE_FILE'],
    ])('%s is told, with what to check, by every client', async (_what, connectionOf, advice) => {
      const connection = connectionOf()
      const clientId = 'turned-down'
      const refused = { code: 'access_refused', message: expect.stringContaining(advice) }
      await expect(ensureTopics({ connection })).rejects.toMatchObject(refused)
      await expect(EventProducer.open({ connection, clientId })).rejects.toMatchObject(refused)
      await expect(readByGroup('fetch', connection, 'turned-down.candles')).rejects.toMatchObject(
        refused,
      )
      await expect(ensureTopics({ connection })).rejects.not.toThrow(/wrong-one/)
    })

    it('a broker that wants TLS is told by whoever comes in the clear', async () => {
      const connection = { brokers: access.kafkaByCertificate.brokers }
      await expect(ensureTopics({ connection })).rejects.toMatchObject({
        code: 'access_refused',
        message: expect.stringContaining('KAFKA_SECURITY_PROTOCOL'),
      })
    })
  })

  it('has a registry with TLS, whose authority is checked', async () => {
    expect(await new Registry(access.registry, 'secured.').register('candles')).toBeGreaterThan(0)
    const { otherCa } = access.certificates
    const mistrusted = new Registry({ ...access.registry, tls: { caFile: otherCa } }, 'secured.')
    await expect(mistrusted.register('candles')).rejects.toMatchObject({
      code: 'registry_access_refused',
      message: expect.stringContaining('REGISTRY_SSL_CA_FILE'),
    })
  })

  it('has its registry behind a server that asks for a certificate and a password', async () => {
    const { ca, clientCertificate, clientKey } = access.certificates
    await using proxy = await guardedRegistry(stack.registryUrl, access)
    const tls = { caFile: ca, certificateFile: clientCertificate, keyFile: clientKey }
    const credentials = { username: 'someone', password: 'secret' }
    const { url } = proxy
    const registry = new Registry({ url, tls, credentials }, 'guarded.')
    const id = await registry.register('candles')
    expect(await registry.writerSchema(id)).toMatchObject({ name: 'tickertape.Candle' })

    const refused = { code: 'registry_access_refused' }
    const wrong = { username: 'someone', password: 'wrong-one' }
    await expect(
      new Registry({ url, tls, credentials: wrong }, 'guarded.').register('candles'),
    ).rejects.toMatchObject({ ...refused, message: expect.stringContaining('REGISTRY_PASSWORD') })
    await expect(
      new Registry({ url, tls: { caFile: ca }, credentials }, 'guarded.').register('candles'),
    ).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('REGISTRY_SSL_CERTIFICATE_FILE'),
    })
  })

  it('has a database that knows a role by its certificate, and another one by its password', async () => {
    expect(await currentUser(access.databaseUrl)).toBe('tickertape')
    expect(await currentUser(access.databaseUrlByCertificate)).toBe('certified')
    const mistrusted = new URL(access.databaseUrl)
    mistrusted.searchParams.set('sslrootcert', access.certificates.otherCa)
    await expect(currentUser(mistrusted.toString())).rejects.toThrow(/certificate/)
    const unknown = new URL(access.databaseUrlByCertificate)
    unknown.searchParams.delete('sslcert')
    unknown.searchParams.delete('sslkey')
    await expect(currentUser(unknown.toString())).rejects.toThrow(/certificate/)
  })
})

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function valuesOf(
  batches: AsyncIterable<readonly { readonly value: Buffer | null }[]>,
): Promise<readonly string[]> {
  const values: string[] = []
  for await (const batch of batches) values.push(...batch.map(({ value }) => String(value)))
  return values
}

/** What a member of a new group reads until it has read two records. */
async function readByGroup(
  kind: LogReaderKind,
  connection: KafkaConnection,
  topic: string,
): Promise<readonly string[]> {
  const values: string[] = []
  const enough = new AbortController()
  const groupId = `${topic}-${kind}`
  const reader = createLogReader(kind, {
    connection,
    clientId: groupId,
    groupId,
    topics: [topic],
    onWarning: () => undefined,
  })
  await reader.run(
    {
      assigned: async (partitions) => partitions.map((each) => ({ ...each, offset: 0 })),
      revoked: async () => undefined,
      process: async (records) => {
        values.push(...records.map(({ value }) => String(value)))
        if (values.length >= 2) enough.abort()
      },
    },
    enough.signal,
  )
  return values
}

/** A server before the registry that lets in `someone` with the password `secret` and a certificate. */
async function guardedRegistry(
  registryUrl: string,
  { certificates }: SecuredAccess,
): Promise<AsyncDisposable & { readonly url: string }> {
  const { ca, serverCertificate, serverKey } = certificates
  const server = createServer(
    {
      ca: readFileSync(ca),
      cert: readFileSync(serverCertificate),
      key: readFileSync(serverKey),
      requestCert: true,
    },
    (asked, answer) => {
      const expected = `Basic ${Buffer.from('someone:secret').toString('base64')}`
      if (asked.headers.authorization !== expected) {
        answer.writeHead(401).end('{"error_code":40101,"message":"Unauthorized"}')
        return
      }
      const { headers, method = 'GET', url = '/' } = asked
      const passed = forward(new URL(url, registryUrl), { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 500, got.headers)
        got.pipe(answer)
      })
      asked.pipe(passed)
    },
  )
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}${new URL(registryUrl).pathname}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function currentUser(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ name: string }>('select current_user as name')
    return rows[0]?.name
  } finally {
    await client.end()
  }
}
