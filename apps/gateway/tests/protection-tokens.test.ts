import { createHmac } from 'node:crypto'

import { waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { createSigningKey, startKeySetServer } from './key-set-server.ts'
import type { KeySetServer, SigningKey } from './key-set-server.ts'
import { bearer, noDatabase, outcomeOf, startProtectedServer } from './protected-server.ts'
import type { ProtectedServer } from './protected-server.ts'

interface TokenBed extends AsyncDisposable {
  readonly server: ProtectedServer
  readonly keySet: KeySetServer
  readonly key: SigningKey
}

async function createTokenBed(
  environment: Readonly<Record<string, string>> = {},
): Promise<TokenBed> {
  await using opened = new AsyncDisposableStack()
  const key = await createSigningKey('first')
  const keySet = opened.use(await startKeySetServer([key]))
  const server = opened.use(
    await startProtectedServer(noDatabase, {
      GATEWAY_AUTHENTICATION: 'tokens',
      GATEWAY_JWKS_URL: keySet.url,
      GATEWAY_JWT_ISSUER: 'https://id.example/',
      GATEWAY_JWT_AUDIENCE: 'tickertape',
      ...environment,
    }),
  )
  const held = opened.move()
  return { server, keySet, key, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

function claims(changed: Readonly<Record<string, unknown>> = {}) {
  const now = Math.floor(Date.now() / 1_000)
  return {
    iss: 'https://id.example/',
    aud: 'tickertape',
    sub: 'ann',
    scope: 'read',
    exp: now + 3_600,
    ...changed,
  }
}

const now = () => Math.floor(Date.now() / 1_000)

describe('a token', () => {
  it('lets in whoever has it, for what it is for', async () => {
    await using bed = await createTokenBed()
    const read = await bed.key.sign(claims())
    const admin = await bed.key.sign(claims({ scope: 'email admin', sub: 'bob' }))
    expect(await outcomeOf(await bed.server.get('/read', bearer(read)))).toBe('200')
    expect(await outcomeOf(await bed.server.get('/admin', bearer(read)))).toBe('403 forbidden')
    const caller: unknown = await (await bed.server.get('/admin', bearer(admin))).json()
    expect(caller).toMatchObject({ kind: 'token', name: 'bob', scopes: ['read', 'admin'] })
  })

  it.each([
    ['of another issuer', { iss: 'https://evil.example/' }],
    ['for another audience', { aud: 'billing' }],
    ['that has expired', { exp: now() - 3_600 }],
    ['that begins later', { nbf: now() + 3_600 }],
    ['without an end', { exp: undefined }],
    ['without a subject', { sub: undefined }],
  ])('%s lets nobody in', async (_what, changed) => {
    await using bed = await createTokenBed()
    const token = await bed.key.sign(claims(changed))
    expect(await outcomeOf(await bed.server.get('/read', bearer(token)))).toBe(
      '401 unauthenticated',
    )
  })

  it('without any scope of ours is understood, and not let in', async () => {
    await using bed = await createTokenBed()
    const token = await bed.key.sign(claims({ scope: 'readonly administrator' }))
    expect(await outcomeOf(await bed.server.get('/read', bearer(token)))).toBe('403 forbidden')
  })

  it('lists its scopes where that is set', async () => {
    await using bed = await createTokenBed({
      GATEWAY_JWT_SCOPE_CLAIM: 'permissions',
      GATEWAY_JWT_SCOPE_PREFIX: 'tickertape:',
    })
    const token = await bed.key.sign(claims({ permissions: ['tickertape:admin'] }))
    expect((await bed.server.get('/admin', bearer(token))).status).toBe(200)
    const plain = await bed.key.sign(claims({ permissions: ['admin'] }))
    expect((await bed.server.get('/admin', bearer(plain))).status).toBe(403)
  })

  it('of a clock that is somewhat off is taken', async () => {
    await using bed = await createTokenBed({ GATEWAY_JWT_CLOCK_TOLERANCE_MS: '600000' })
    const token = await bed.key.sign(claims({ exp: now() - 60, nbf: now() + 60 }))
    expect((await bed.server.get('/read', bearer(token))).status).toBe(200)
  })
})

describe('a token that is made up', () => {
  it('without a signature lets nobody in', async () => {
    await using bed = await createTokenBed()
    const header = Buffer.from('{"alg":"none"}').toString('base64url')
    const payload = Buffer.from(JSON.stringify(claims())).toString('base64url')
    for (const token of [`${header}.${payload}.`, `${header}.${payload}.AA`]) {
      expect((await bed.server.get('/read', bearer(token))).status).toBe(401)
    }
  })

  // The classic confusion: the public key, which everybody has, taken for the secret of an HMAC.
  it('with the public key for a shared secret lets nobody in', async () => {
    await using bed = await createTokenBed()
    const header = Buffer.from('{"alg":"HS256","kid":"first"}').toString('base64url')
    const payload = Buffer.from(JSON.stringify(claims())).toString('base64url')
    const secret = JSON.stringify(bed.key.publicJwk)
    const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
    const token = `${header}.${payload}.${mac}`
    expect(await outcomeOf(await bed.server.get('/read', bearer(token)))).toBe(
      '401 unauthenticated',
    )
  })

  it('from another one’s parts lets nobody in', async () => {
    await using bed = await createTokenBed()
    const [header, , signature] = (await bed.key.sign(claims())).split('.')
    const payload = Buffer.from(JSON.stringify(claims({ scope: 'admin' }))).toString('base64url')
    const token = `${header}.${payload}.${signature}`
    expect((await bed.server.get('/read', bearer(token))).status).toBe(401)
  })

  it('by a key of an algorithm that is not allowed lets nobody in', async () => {
    await using bed = await createTokenBed({ GATEWAY_JWT_ALGORITHMS: 'RS256' })
    expect((await bed.server.get('/read', bearer(await bed.key.sign(claims())))).status).toBe(401)
  })
})

describe('the key set', () => {
  it('is read again for a token of a new key, and not for each of many unknown ones', async () => {
    await using bed = await createTokenBed()
    const next = await createSigningKey('second', 'EdDSA')
    bed.keySet.keys = [bed.key, next]
    expect((await bed.server.get('/read', bearer(await next.sign(claims())))).status).toBe(200)

    const unknown = await createSigningKey('unknown')
    const token = await unknown.sign(claims())
    const before = bed.keySet.requests
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bed.server.get('/read', bearer(token))),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401))
    expect(bed.keySet.requests - before).toBeLessThan(5)
  })

  it('that lost a key refuses its tokens, remembered ones too', async () => {
    await using bed = await createTokenBed({ GATEWAY_JWKS_RELOAD_MS: '1000' })
    const token = await bed.key.sign(claims())
    expect((await bed.server.get('/read', bearer(token))).status).toBe(200)
    bed.keySet.keys = [await createSigningKey('second')]
    await waitUntil('the token to be refused', async () => {
      return (await bed.server.get('/read', bearer(token))).status === 401
    })
  })

  it('counts on while its server is away; tokens of other keys have to wait', async () => {
    await using bed = await createTokenBed({ GATEWAY_JWKS_RELOAD_MS: '1000' })
    const token = await bed.key.sign(claims())
    expect((await bed.server.get('/read', bearer(token))).status).toBe(200)
    bed.keySet.keys = undefined
    await waitUntil('the outage to be told', () =>
      bed.server.readiness.degraded.some(({ subject }) => subject === 'key-set'),
    )
    expect((await bed.server.get('/read', bearer(token))).status).toBe(200)
    const next = await createSigningKey('second')
    const nextToken = await next.sign(claims())
    expect(await outcomeOf(await bed.server.get('/read', bearer(nextToken)))).toBe('503 not_ready')

    bed.keySet.keys = [bed.key, next]
    await waitUntil('the new key to be known', async () => {
      return (await bed.server.get('/read', bearer(nextToken))).status === 200
    })
  })
})
