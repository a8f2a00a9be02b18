import { fileURLToPath } from 'node:url'

import { ServiceProcess, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { bearer, createKeyDatabase } from './protected-server.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function start(environment: Readonly<Record<string, string>>): ServiceProcess {
  return ServiceProcess.start({
    main,
    environment: {
      // Nothing listens there: the gateway waits for it, and who is let in is told so.
      KAFKA_BROKERS: '127.0.0.1:1',
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      ...environment,
    },
  })
}

it('a gateway without authentication does not start for other machines', async () => {
  await using gateway = start({ GATEWAY_HOST: '0.0.0.0' })
  expect(await gateway.exited()).toBe(1)
  expect(gateway.output).toContain('GATEWAY_HOST 0.0.0.0 can be reached from other machines')
  expect(gateway.output).not.toContain('listening on')
})

it('no key and no token is in the log, however much is logged', async () => {
  await using database = await createKeyDatabase()
  const key = await database.keys('create', '--name', 'charts', '--scope', 'read')
  await using gateway = start({
    DATABASE_URL: database.url,
    GATEWAY_HOST: '0.0.0.0',
    GATEWAY_AUTHENTICATION: 'keys',
    LOG_LEVEL: 'trace',
  })
  const port = await waitUntil(
    'the gateway to listen',
    () => /listening on http:\/\/0\.0\.0\.0:(\d+)/.exec(gateway.output)?.[1],
  )
  const path = `http://127.0.0.1:${port}/v1/instruments`
  const wrong = `${key.slice(0, -8)}AAAAAAAA`
  const token = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"sub":"ann"}').toString('base64url')}.c2ln`
  const statuses: number[] = []
  for (const text of [key, wrong, token]) {
    statuses.push((await fetch(path, { headers: bearer(text) })).status)
    statuses.push((await fetch(path, { headers: { 'x-api-key': text } })).status)
  }
  expect(statuses).toEqual([503, 503, 401, 401, 401, 401])
  await waitUntil('a refusal to be logged', () => gateway.output.includes('"refused: '))
  expect(await gateway.stop('SIGTERM')).toBe(0)
  for (const text of [key, wrong, token]) expect(gateway.output).not.toContain(text.slice(-43))
})
