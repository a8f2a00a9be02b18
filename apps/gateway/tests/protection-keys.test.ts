import { Database } from '@tickertape/market-store'
import { TcpProxy, byWayOf, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { newApiKey } from '../src/protection/api-key.ts'
import { bearer, createKeyDatabase, outcomeOf, startProtectedServer } from './protected-server.ts'

const keysAlone = { GATEWAY_AUTHENTICATION: 'keys', GATEWAY_KEYS_RELOAD_MS: '1000' }

describe('an API key', () => {
  it('lets in whoever has it, for what it is for', async () => {
    await using database = await createKeyDatabase()
    await using server = await startProtectedServer(database.url, keysAlone)
    const read = await database.keys('create', '--name', 'charts', '--scope', 'read')
    const admin = await database.keys('create', '--name', 'operator', '--scope', 'admin')

    expect(await outcomeOf(await server.get('/read', bearer(read)))).toBe('200')
    expect(await outcomeOf(await server.get('/read', { 'x-api-key': read }))).toBe('200')
    const caller: unknown = await (await server.get('/admin', bearer(admin))).json()
    const keyId = admin.split('_')[1]
    expect(caller).toMatchObject({ kind: 'key', name: keyId, scopes: ['read', 'admin'] })

    const refused = await server.get('/admin', bearer(read))
    expect(refused.headers.get('www-authenticate')).toContain('scope="admin"')
    expect(await outcomeOf(refused)).toBe('403 forbidden')
    expect(await outcomeOf(await server.get('/public'))).toBe('200')
  })

  it('that is missing, made up, or of another secret lets nobody in', async () => {
    await using database = await createKeyDatabase()
    await using server = await startProtectedServer(database.url, keysAlone)
    const key = await database.keys('create', '--name', 'charts', '--scope', 'read')
    const ofOtherSecret = newApiKey().text.replace(/^tt_[^_]+/, key.slice(0, key.indexOf('_', 3)))
    const none = await server.get('/read')
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="tickertape"')
    expect(await outcomeOf(none)).toBe('401 unauthenticated')
    for (const text of [ofOtherSecret, newApiKey().text, 'tt_', 'x']) {
      const answer = await server.get('/read', bearer(text))
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(await outcomeOf(answer)).toBe('401 unauthenticated')
    }
    // In an address it would stand in every log on the way.
    expect(await outcomeOf(await server.get(`/read?access_token=${key}`))).toBe(
      '401 unauthenticated',
    )
  })

  it('that is revoked or has expired counts no longer, for open connections neither', async () => {
    await using database = await createKeyDatabase()
    await using server = await startProtectedServer(database.url, keysAlone)
    const revoked = await database.keys('create', '--name', 'a', '--scope', 'read')
    const create = ['create', '--name', 'b', '--scope', 'read', '--expires', '1d']
    const expiring = await database.keys(...create)
    const callers = await Promise.all(
      [revoked, expiring].map(async (key) => {
        const answer = await server.get('/read', bearer(key))
        // The route answers what the doorkeeper has said.
        return (await answer.json()) as Parameters<typeof server.doorkeeper.stands>[0]
      }),
    )
    expect(callers.map((caller) => server.doorkeeper.stands(caller))).toEqual(['stands', 'stands'])

    await database.keys('revoke', revoked)
    await using tables = new Database(database.url, { applicationName: 'test' })
    await tables.query(`update api_keys set expires_at = now() where name = 'b'`)
    for (const key of [revoked, expiring]) {
      await waitUntil('the key to be refused', async () => {
        return (await server.get('/read', bearer(key))).status === 401
      })
    }
    expect(callers.map((caller) => server.doorkeeper.stands(caller))).toEqual(['ended', 'ended'])
    const listed = await database.keys('list')
    expect(listed).toMatch(/revoked .* a$/m)
    expect(listed).toMatch(/expired .* b$/m)
    await expect(database.keys('revoke', revoked)).rejects.toThrow(/No key \w+ stands/)
  })

  it('is stored as a hash alone', async () => {
    await using database = await createKeyDatabase()
    const key = await database.keys('create', '--name', 'charts', '--scope', 'read')
    await using tables = new Database(database.url, { applicationName: 'test' })
    const { rows } = await tables.query('select row_to_json(api_keys)::text as row from api_keys')
    const secret = key.slice(-43)
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(secret)
    const hex = Buffer.from(secret, 'base64url').toString('hex')
    expect(JSON.stringify(rows)).not.toContain(hex)
  })
})

describe('while the database is away', () => {
  it('keys that are known count, others are asked to wait, and all of it is told', async () => {
    await using database = await createKeyDatabase()
    await using proxy = await TcpProxy.to(new URL(database.url).host)
    await using server = await startProtectedServer(byWayOf(proxy, database.url), keysAlone)
    const known = await database.keys('create', '--name', 'a', '--scope', 'read')
    expect((await server.get('/read', bearer(known))).status).toBe(200)

    proxy.shut()
    const unknown = await database.keys('create', '--name', 'b', '--scope', 'read')
    const answer = await server.get('/read', bearer(unknown))
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(await outcomeOf(answer)).toBe('503 not_ready')
    expect(server.readiness.degraded).toMatchObject([{ subject: 'api-keys' }])
    expect((await server.get('/read', bearer(known))).status).toBe(200)

    proxy.open()
    await waitUntil('the new key to be let in', async () => {
      return (await server.get('/read', bearer(unknown))).status === 200
    })
    expect(server.readiness.degraded).toEqual([])
  })

  it('they count for a bounded time', async () => {
    await using database = await createKeyDatabase()
    await using proxy = await TcpProxy.to(new URL(database.url).host)
    const environment = { ...keysAlone, GATEWAY_KEYS_OUTAGE_MS: '0' }
    await using server = await startProtectedServer(byWayOf(proxy, database.url), environment)
    const key = await database.keys('create', '--name', 'a', '--scope', 'read')
    const answer = await server.get('/read', bearer(key))
    // The route answers what the doorkeeper has said.
    const caller = (await answer.json()) as Parameters<typeof server.doorkeeper.stands>[0]
    proxy.shut()
    await waitUntil('the key to count no longer', async () => {
      return (await server.get('/read', bearer(key))).status === 503
    })
    // An outage was taken for the end of every key: a copy that counts no longer knows of none.
    expect(server.doorkeeper.stands(caller)).toBe('unknowable')
  })
})
