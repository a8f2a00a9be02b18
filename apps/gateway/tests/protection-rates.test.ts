import { TcpProxy, byWayOf, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import {
  bearer,
  createKeyDatabase,
  noDatabase,
  outcomeOf,
  startProtectedServer,
} from './protected-server.ts'
import type { ProtectedServer } from './protected-server.ts'

/** Nobody waits for the end of such a window. */
const longWindow = { GATEWAY_RATE_WINDOW_MS: '3600000', GATEWAY_RATE_SYNC_MS: '50' }

describe('a limit of requests', () => {
  it('is told in each answer, and by 429 once it is reached', async () => {
    const environment = { ...longWindow, GATEWAY_RATE_LIMIT: '2' }
    await using server = await startProtectedServer(noDatabase, environment)
    const answers = [await server.get('/read'), await server.get('/read')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers.map(({ headers }) => headers.get('ratelimit')?.split(';t=')[0])).toEqual([
      '"requests";r=1',
      '"requests";r=0',
    ])
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=3600')

    const refused = await server.get('/read')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000)
    expect(refused.headers.get('ratelimit')).toContain('r=0')
    expect(await outcomeOf(refused)).toBe('429 too_many_requests')
    expect((await server.get('/public')).status).toBe(200)
  })

  it('is each key’s own', async () => {
    await using database = await createKeyDatabase()
    const environment = { ...longWindow, GATEWAY_RATE_LIMIT: '1', GATEWAY_AUTHENTICATION: 'keys' }
    await using server = await startProtectedServer(database.url, environment)
    const keys = [
      await database.keys('create', '--name', 'a', '--scope', 'read'),
      await database.keys('create', '--name', 'b', '--scope', 'read'),
    ]
    for (const status of [200, 429]) {
      for (const key of keys) expect((await server.get('/read', bearer(key))).status).toBe(status)
    }
  })

  it('counts keys that are refused by address, and spares those that are known', async () => {
    await using database = await createKeyDatabase()
    const environment = { ...longWindow, GATEWAY_RATE_LIMIT: '3', GATEWAY_AUTHENTICATION: 'keys' }
    await using server = await startProtectedServer(database.url, environment)
    const key = await database.keys('create', '--name', 'a', '--scope', 'read')
    expect((await server.get('/read', bearer(key))).status).toBe(200)
    const outcomes: string[] = []
    for (let tries = 0; tries < 4; tries += 1) {
      outcomes.push(await outcomeOf(await server.get('/read', bearer('wrong'))))
    }
    expect(outcomes.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => '401 unauthenticated'))
    expect(outcomes[3]).toBe('429 too_many_requests')
    expect((await server.get('/read', bearer(key))).status).toBe(200)
  })

  it('follows X-Forwarded-For of a trusted proxy alone', async () => {
    const limited = { ...longWindow, GATEWAY_RATE_LIMIT: '1' }
    const trusting = { ...limited, GATEWAY_TRUSTED_PROXIES: '127.0.0.0/8' }
    for (const [environment, expected] of [
      [trusting, [200, 200, 429]],
      [limited, [200, 429, 429]],
    ] as const) {
      await using server = await startProtectedServer(noDatabase, environment)
      const statuses: number[] = []
      for (const address of ['198.51.100.1', '198.51.100.2', '198.51.100.1']) {
        statuses.push((await server.get('/read', { 'x-forwarded-for': address })).status)
      }
      expect(statuses).toEqual(expected)
    }
  })
})

describe('instances that share their counts', () => {
  const shared = { ...longWindow, GATEWAY_RATE_LIMIT: '200', GATEWAY_RATE_SHARED: 'on' }

  /** Sends requests to an instance until it knows how many others have let in. @returns how many were needed. */
  async function untilKnown(server: ProtectedServer, others: number): Promise<number> {
    let own = 0
    await waitUntil(`the instance to know of ${others} requests`, async () => {
      // Its own request makes an instance ask for the whole.
      const { headers } = await server.get('/read')
      own += 1
      const remaining = Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
      return remaining + own === 200 - others
    })
    return own
  }

  it('hold a caller to one limit', async () => {
    await using database = await createKeyDatabase()
    await using first = await startProtectedServer(database.url, shared)
    await using second = await startProtectedServer(database.url, shared)
    for (let count = 0; count < 120; count += 1) await first.get('/read')
    let admitted = await untilKnown(second, 120)
    while ((await second.get('/read')).status === 200) admitted += 1
    expect(admitted).toBe(80)
    await waitUntil('the first to refuse', async () => (await first.get('/read')).status === 429)
  })

  it('count for themselves while the database is away, and together again after that', async () => {
    await using database = await createKeyDatabase()
    await using proxy = await TcpProxy.to(new URL(database.url).host)
    await using first = await startProtectedServer(byWayOf(proxy, database.url), shared)
    await using second = await startProtectedServer(database.url, shared)
    proxy.shut()
    for (let count = 0; count < 4; count += 1) {
      expect((await first.get('/read')).status).toBe(200)
    }
    await waitUntil('the outage to be told', () =>
      first.readiness.degraded.some(({ subject }) => subject === 'shared-rates'),
    )
    proxy.open()
    await waitUntil('the outage to be over', () => first.readiness.degraded.length === 0)
    expect(await untilKnown(second, 4)).toBeLessThan(196)
  })
})
