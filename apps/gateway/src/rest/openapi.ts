import type { ProblemCode } from '@tickertape/market-api'
import { problem } from '@tickertape/market-api'
import { z } from 'zod'

import { problemKinds } from '../problem.ts'
import type { Endpoint } from './endpoint.ts'

type Json = Readonly<Record<string, unknown>>

/** Every resource may be refused for these. */
const usualProblems: readonly ProblemCode[] = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'too_many_requests',
  'internal',
  'not_ready',
]

const description = `Candles, trades and statistics of crypto markets, exact to the last digit.

- Decimals are text in plain notation; times are milliseconds since the epoch, and may be asked for as ISO 8601 too.
- Pages are followed by their cursors. A cursor belongs to the request that it came from.
- \`position\` is where the answer stands in the stream: a subscription at \`/v1/stream\` (a WebSocket) with it as \`resume\` goes on without a hole.
- Errors are problem documents (RFC 9457); [each kind](/problems) has a page.
- A parameter that a resource does not know is an error.`

/**
 * The description of the resources (OpenAPI 3.1), made from the schemas that requests are read with and that the
 * tests hold answers to.
 */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const paths = endpoints.map((served): [string, Json] => [
    served.path.replaceAll(/:(\w+)/g, '{$1}'),
    { get: operation(served) },
  ])
  const used = [...usualProblems, ...endpoints.flatMap(({ problems }) => problems)]
  const responses = [...new Set(used)].map((code) => [code, problemResponse(code)])
  const document = { paths: Object.fromEntries(paths), responses: Object.fromEntries(responses) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tickertape',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { key: [] }, { token: [] }],
    tags: [...new Set(endpoints.map(({ group }) => group))].map((name) => ({ name })),
    paths: document.paths,
    components: {
      schemas: reachable(JSON.stringify(document), namedSchemas()),
      responses: document.responses,
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        token: { type: 'http', scheme: 'bearer', description: 'An API key or a JWT' },
      },
    },
  }
}

function operation(served: Endpoint): Json {
  const codes = [...new Set([...usualProblems, ...served.problems])]
  const refusals = codes.map((code) => [
    String(problemKinds[code].status),
    { $ref: `#/components/responses/${code}` },
  ])
  return {
    operationId: served.operationId,
    summary: served.summary,
    description: [served.about, needs(served)].filter((text) => text !== undefined).join(' '),
    tags: [served.group],
    parameters: [...parameters(served.params, 'path'), ...parameters(served.query, 'query')],
    responses: {
      200: {
        description: 'The answer',
        headers: {
          'X-Request-Id': { schema: { type: 'string' }, description: 'As in the logs' },
          'Cache-Control': { schema: { type: 'string' } },
          'RateLimit-Policy': { schema: { type: 'string' }, description: 'Quota and window' },
          RateLimit: { schema: { type: 'string' }, description: 'What is left, and how long' },
        },
        content: { 'application/json': { schema: answerSchema(served.answer) } },
      },
      304: { description: 'What If-None-Match names is still true' },
      ...Object.fromEntries(refusals),
    },
  }
}

function needs({ scope }: Endpoint): string {
  return `Where the gateway asks for a key or token, it needs the scope \`${scope}\`.`
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): readonly Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    // Fields of an object have schemas of their own, never `true` or `false`.
    const { description: about, ...rest } = property as Json & { description?: string }
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(about === undefined ? {} : { description: about }),
      schema: rest,
    }
  })
}

function answerSchema(answer: z.ZodType): Json {
  if (answer instanceof z.ZodUnion) {
    // Of the schemas of zod itself.
    return { oneOf: (answer.options as readonly z.ZodType[]).map(reference) }
  }
  return reference(answer)
}

function problemResponse(code: ProblemCode): Json {
  const { title } = problemKinds[code]
  return {
    description: title,
    content: { 'application/problem+json': { schema: reference(problem) } },
  }
}

function reference(schema: z.ZodType): Json {
  const { id } = z.globalRegistry.get(schema) ?? {}
  if (id === undefined) throw new Error('The schema of an answer needs an id: .meta({ id })')
  return { $ref: `#/components/schemas/${id}` }
}

function namedSchemas(): Readonly<Record<string, Json>> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    uri: (id) => `#/components/schemas/${id}`,
  })
  const isOurs = ([key]: readonly [string, unknown]): boolean =>
    !['$schema', '$id', 'id'].includes(key)
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => [
      id,
      Object.fromEntries(Object.entries(schema).filter(isOurs)),
    ]),
  )
}

/** The registry holds the messages of the stream too. */
function reachable(
  text: string,
  schemas: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const found = new Map<string, Json>()
  const follow = (within: string): void => {
    for (const [, id = ''] of within.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      const schema = schemas[id]
      if (schema === undefined || found.has(id)) continue
      found.set(id, schema)
      follow(JSON.stringify(schema))
    }
  }
  follow(text)
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}
