import fastify from 'fastify'
import { expect, it } from 'vitest'

import { ProblemError } from '../problem.ts'
import { problemOf } from '../problem-of-error.ts'
import { registerRest } from './rest.ts'

// Until the stream takes upgrades Node hands them to the route as requests. They were refused as plain HTTP, by 400,
// and a client that is told that its request is wrong does not come again.
it('a WebSocket that comes before the stream is open is told to come again', async () => {
  const waiting = (): never => {
    throw new ProblemError('not_ready', {
      detail: 'it waits for Kafka',
      headers: { 'retry-after': '2' },
    })
  }
  await using app = fastify()
  app.setErrorHandler((error, request, reply) => {
    const { code, message, headers } = problemOf(error, request.id)
    return reply
      .code(code === 'not_ready' ? 503 : 400)
      .headers(headers)
      .send({ message })
  })
  await registerRest(app, { sources: waiting, watch: waiting, dashboardFolder: undefined })
  const upgrade = { connection: 'Upgrade', upgrade: 'WebSocket' }
  const early = await app.inject({ url: '/v1/stream', headers: upgrade })
  expect([early.statusCode, early.headers['retry-after']]).toEqual([503, '2'])
  expect(early.body).toContain('it waits for Kafka')
  expect((await app.inject('/v1/stream')).statusCode).toBe(400)
})
