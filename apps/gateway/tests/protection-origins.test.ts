import { request as httpRequest } from 'node:http'
import { once } from 'node:events'

import { closeCodes } from '@tickertape/market-api'
import { waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { bearer, createKeyDatabase, noDatabase, startProtectedServer } from './protected-server.ts'
import type { ProtectedServer } from './protected-server.ts'
import { Peer } from './stream-bed.ts'

function open(
  server: ProtectedServer,
  headers: Readonly<Record<string, string>>,
  protocols: readonly string[] = [],
): Promise<Peer> {
  const url = `${server.origin.replace('http', 'ws')}/v1/stream`
  return Peer.connect(url, { headers, protocols })
}

/** `fetch` lets nobody set Host. */
async function statusFor(server: ProtectedServer, host: string): Promise<number | undefined> {
  const request = httpRequest(`${server.origin}/read`, { headers: { host } })
  request.end()
  const [response] = await once(request, 'response')
  // What the event carries.
  const { statusCode } = response.resume() as { statusCode?: number }
  return statusCode
}

describe('a page of another site', () => {
  const allowing = { GATEWAY_ALLOWED_ORIGINS: 'https://charts.example' }

  // Cross-site WebSocket hijacking: no browser asks before it opens a WebSocket for a page.
  it('cannot open the stream unless it is allowed to', async () => {
    await using server = await startProtectedServer(noDatabase, allowing)
    for (const origin of ['https://evil.example', 'null', 'http://charts.example']) {
      await expect(open(server, { origin })).rejects.toThrow(/403/)
    }
    for (const origin of [server.origin, 'https://charts.example']) {
      using peer = await open(server, { origin })
      expect(peer.closed).toBeUndefined()
    }
    using noBrowser = await open(server, {})
    expect(noBrowser.closed).toBeUndefined()
  })

  it('cannot read what REST answers unless it is allowed to', async () => {
    await using server = await startProtectedServer(noDatabase, allowing)
    const allowedFor = async (origin: string) =>
      (await server.get('/read', { origin })).headers.get('access-control-allow-origin')
    expect(await allowedFor('https://charts.example')).toBe('https://charts.example')
    expect(await allowedFor('https://evil.example')).toBeNull()
  })

  it('may ask beforehand without a key, and is told what it may send', async () => {
    const environment = { ...allowing, GATEWAY_AUTHENTICATION: 'keys' }
    await using server = await startProtectedServer(noDatabase, environment)
    const answer = await fetch(`${server.origin}/read`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://charts.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://charts.example')
    expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    // It must be able to read why it is refused.
    const refused = await server.get('/read', { origin: 'https://charts.example' })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://charts.example')
  })

  // DNS rebinding: the page's own name leads to 127.0.0.1, so that for the browser it is the same site.
  it('cannot pose as this machine', async () => {
    await using server = await startProtectedServer(noDatabase, {})
    const port = new URL(server.origin).port
    expect(await statusFor(server, `evil.example:${port}`)).toBe(403)
    expect(await statusFor(server, `localhost:${port}`)).toBe(200)
    const headers = { host: `evil.example:${port}`, origin: `http://evil.example:${port}` }
    await expect(open(server, headers)).rejects.toThrow(/403/)
  })
})

describe('the handshake of a stream', () => {
  const keysAlone = { GATEWAY_AUTHENTICATION: 'keys', GATEWAY_KEYS_RELOAD_MS: '1000' }

  it('asks for a key as REST does; a browser sends it as a subprotocol', async () => {
    await using database = await createKeyDatabase()
    await using server = await startProtectedServer(database.url, keysAlone)
    const key = await database.keys('create', '--name', 'charts', '--scope', 'read')
    await expect(open(server, {})).rejects.toThrow(/401/)
    await expect(open(server, {}, ['tickertape.v1', 'bearer.wrong'])).rejects.toThrow(/401/)
    using byHeader = await open(server, bearer(key))
    expect(byHeader.socket.protocol).toBe('')
    using bySubprotocol = await open(server, {}, ['tickertape.v1', `bearer.${key}`])
    // The key itself does not come back in the answer.
    expect(bySubprotocol.socket.protocol).toBe('tickertape.v1')
  })

  it('counts against the limit of requests', async () => {
    const environment = { GATEWAY_RATE_LIMIT: '1', GATEWAY_RATE_WINDOW_MS: '3600000' }
    await using server = await startProtectedServer(noDatabase, environment)
    using first = await open(server, {})
    expect(first.closed).toBeUndefined()
    await expect(open(server, {})).rejects.toThrow(/429/)
  })

  it('does not outlast its key', async () => {
    await using database = await createKeyDatabase()
    const environment = { ...keysAlone, GATEWAY_STREAM_HEARTBEAT_MS: '200' }
    await using server = await startProtectedServer(database.url, environment)
    const key = await database.keys('create', '--name', 'charts', '--scope', 'read')
    using peer = await open(server, bearer(key))
    await database.keys('revoke', key)
    await waitUntil('the stream to be closed', () => peer.closed !== undefined)
    expect(peer.closed?.code).toBe(closeCodes.unauthenticated)
  })
})

describe('an answer', () => {
  it('tells browsers to run nothing but the gateway’s own scripts, and to trust it no further', async () => {
    await using server = await startProtectedServer(noDatabase, {})
    const { headers } = await server.get('/public')
    const { headers: ofNothing } = await server.get('/nothing')
    expect(ofNothing.get('content-security-policy')).toBe(headers.get('content-security-policy'))
    const policy = headers.get('content-security-policy')
    expect(policy).toContain(`script-src 'self'`)
    expect(policy).toContain(`connect-src 'self'`)
    expect(policy).not.toMatch(/unsafe|upgrade-insecure-requests/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    // Only over TLS; the tests of certificates see it there.
    expect(headers.get('strict-transport-security')).toBeNull()
  })
})
