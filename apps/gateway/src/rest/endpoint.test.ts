import fastify from 'fastify'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'

import { problemOf } from '../problem-of-error.ts'
import { endpoint, jsonAnswer, registerEndpoints } from './endpoint.ts'

// Each request made a strict schema of its own, and compiled it, to refuse parameters that the resource does not know.
it('a parameter that is not known is refused by a schema that is made once', async () => {
  const query = z.object({ limit: z.coerce.number().default(10) })
  const strict = vi.spyOn(query, 'strict')
  await using app = fastify()
  app.setErrorHandler((error, request, reply) => {
    const { message } = problemOf(error, request.id)
    return reply.code(400).send({ message })
  })
  const definition = { path: '/v1/some', operationId: 'some', summary: 'Some', group: 'some' }
  const params = z.object({})
  const handle = (_: unknown, asked: { readonly limit: number }) => jsonAnswer(asked)
  registerEndpoints(app, [endpoint({ ...definition, params, query, answer: z.unknown(), handle })])
  const made = strict.mock.calls.length
  for (const limit of [1, 2, 3]) {
    expect((await app.inject(`/v1/some?limit=${limit}`)).json()).toEqual({ limit })
  }
  const refused = await app.inject('/v1/some?limi=1')
  expect(refused.statusCode).toBe(400)
  expect(refused.body).toContain('limi: is no parameter of this resource')
  expect(strict.mock.calls.length).toBe(made)
})
