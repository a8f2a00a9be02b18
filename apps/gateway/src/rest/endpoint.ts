import type { ProblemCode } from '@tickertape/market-api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'

import type { Scope } from '../admission.ts'
import { requireScope } from '../protection/protect-routes.ts'
import { readRequest } from './request-reading.ts'

/** What a request is answered with: a JSON document, as text or in UTF-8, and what caches may do with it. */
export interface Answer {
  /** Made only if the client does not have it yet. */
  readonly body: () => string | Buffer
  /** What the document says, without its position: equal tags say the same. */
  readonly tag?: string
  /** How long a copy may be used unasked, in seconds; 0: never. */
  readonly freshSeconds?: number
}

type Shape = Readonly<Record<string, z.ZodType>>

/** One resource: how it is asked for, what it answers, and what its description says. */
export interface Endpoint {
  /** With parameters as `:name`. */
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly about?: string
  readonly group: string
  /** That a key or token must have: `admin` for what only those who run the system need. */
  readonly scope: Scope
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  readonly answer: z.ZodType
  /** Refusals of its own, besides those that each resource has. */
  readonly problems: readonly ProblemCode[]
  /** @throws ProblemError */
  readonly handle: (params: unknown, query: unknown) => Answer | Promise<Answer>
}

export interface EndpointDefinition<P extends Shape, Q extends Shape> {
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly about?: string
  readonly group: string
  /** `read` unless given. */
  readonly scope?: Scope
  readonly params: z.ZodObject<P>
  readonly query: z.ZodObject<Q>
  readonly answer: z.ZodType
  readonly problems?: readonly ProblemCode[]
  readonly handle: (
    params: z.output<z.ZodObject<P>>,
    query: z.output<z.ZodObject<Q>>,
  ) => Answer | Promise<Answer>
}

export function endpoint<P extends Shape, Q extends Shape>(
  definition: EndpointDefinition<P, Q>,
): Endpoint {
  return {
    ...definition,
    scope: definition.scope ?? 'read',
    problems: definition.problems ?? [],
    handle: (params, query) =>
      definition.handle(
        // `readRequest` has read them with the two schemas.
        params as z.output<z.ZodObject<P>>,
        query as z.output<z.ZodObject<Q>>,
      ),
  }
}

/** A document that is made anew with each request, and that nobody keeps. */
export function jsonAnswer(value: unknown): Answer {
  return { body: () => JSON.stringify(value) }
}

/** Serves resources. Each answers GET and HEAD. */
export function registerEndpoints(app: FastifyInstance, endpoints: readonly Endpoint[]): void {
  for (const served of endpoints) {
    const strictQuery = served.query.strict()
    app.get(served.path, requireScope(served.scope), async (request, reply) => {
      const { params, query } = readRequest(request, served.params, strictQuery)
      return send(await served.handle(params, query), request, reply)
    })
  }
}

/**
 * Tags are weak: two documents of one tag may differ in their position, which is true in both.
 */
function send(answer: Answer, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { tag, freshSeconds = 0 } = answer
  reply.header(
    'cache-control',
    freshSeconds === 0 ? 'no-cache' : `private, max-age=${freshSeconds}`,
  )
  if (tag !== undefined) {
    const own = `W/"${tag}"`
    reply.header('etag', own)
    if (isAmong(own, request.headers['if-none-match'])) return reply.code(304).send()
  }
  return reply.type('application/json; charset=utf-8').send(answer.body())
}

function isAmong(own: string, asked: string | undefined): boolean {
  if (asked === undefined) return false
  const strong = own.slice(2)
  return asked.split(',').some((part) => {
    const tag = part.trim()
    return tag === '*' || tag === own || tag === strong
  })
}
