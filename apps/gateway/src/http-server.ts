import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'

import { noTracing } from '@tickertape/tracing'
import type { Tracing } from '@tickertape/tracing'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { GatewayEvents } from './events.ts'
import type { TlsFiles } from './protection/tls-files.ts'
import { ProblemError, problemDocument, problemKinds } from './problem.ts'
import { problemOf } from './problem-of-error.ts'
import { requestIdHeader, requestIdOf } from './request-id.ts'
import { requestContext, traceRequest } from './request-traces.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined
  readonly events: GatewayEvents
  /** None unless given. */
  readonly tracing?: Tracing
  /** Adds what is served. */
  readonly register: (app: FastifyInstance) => Promise<void>
  /** Methods of the resource under a path; undefined: there is none. */
  readonly methodsOf: (path: string) => readonly string[] | undefined
}

export interface HttpServer extends AsyncDisposable {
  readonly server: Server
  /** http://host:port, https with TLS. */
  readonly origin: string
}

/** Nothing here takes a body. */
const bodyLimit = 16 * 1024

/** Venues have names of this length at most; see `instrumentId`. */
const maxParamLength = 300

/** Longer than that of usual proxies (60 s), so that they never send on a connection which we are closing. */
const keepAliveTimeout = 72_000

/** What is being answered may take this long once the server drains, in ms. */
const drainMs = 10_000

/**
 * Serves what `register` adds. Whatever fails is answered by a problem document. Disposing it takes no more
 * connections, lets what is being answered finish, and closes the rest.
 *
 * @throws Error that names the port if it is taken.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, tls, events, tracing = noTracing } = options
  const app = fastify({
    https: tls?.options ?? null,
    logger: false,
    genReqId: requestIdOf,
    bodyLimit,
    routerOptions: { maxParamLength },
    keepAliveTimeout,
    // A request that comes while the server drains is answered; its connection is closed behind it.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      void sendError(error, request, reply, events)
    },
    clientErrorHandler: refuseUnreadable,
    // Of the two kinds of servers nothing is used but what they share.
  }) as unknown as FastifyInstance
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null))
  app.addHook('onRequest', async (request, reply) => {
    reply.header(requestIdHeader, request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    events.requestAnswered({
      route: request.routeOptions.url ?? 'none',
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1_000,
    })
    if (tracing.enabled) traceAnswered(tracing, request, reply)
  })
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, events))
  app.setNotFoundHandler((request, reply) =>
    sendError(notServed(request, options.methodsOf), request, reply, events),
  )
  await options.register(app)
  // Behind the headers that every answer has, and before anything is asked of a body that nobody takes.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw notServed(request, options.methodsOf)
  })
  try {
    await app.listen({ host, port })
  } catch (error) {
    // Node's listen errors carry a code.
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(
      `The port ${host}:${port} is taken by another process: stop that one, or set GATEWAY_PORT to another`,
      { cause: error },
    )
  }
  // With the option `https` it is one.
  tls?.follow(app.server as unknown as TlsServer)
  return {
    server: app.server,
    // A TCP server's address is an object.
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${(app.server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const kill = setTimeout(() => app.server.closeAllConnections(), drainMs)
      await app.close()
      clearTimeout(kill)
    },
  }
}

function traceAnswered(tracing: Tracing, request: FastifyRequest, reply: FastifyReply): void {
  const parent = requestContext(request.headers)
  if (parent === undefined) return
  traceRequest(tracing, parent, {
    route: request.routeOptions.url,
    method: request.method,
    status: reply.statusCode,
    elapsedMs: reply.elapsedTime,
  })
}

function notServed(
  request: FastifyRequest,
  methodsOf: HttpServerOptions['methodsOf'],
): ProblemError {
  const path = request.url.split('?')[0] ?? ''
  const methods = methodsOf(path)
  if (methods === undefined) {
    return new ProblemError('not_found', {
      detail: `Nothing is served under ${path}: /docs lists what is`,
    })
  }
  return new ProblemError('method_not_allowed', {
    detail: `${path} takes ${methods.join(', ')}, not ${request.method}`,
    headers: { allow: methods.join(', ') },
  })
}

function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  events: GatewayEvents,
): FastifyReply {
  const problem = problemOf(error, request.id)
  if (problem.code === 'internal') {
    const trace = requestContext(request.headers)
    events.requestFailed(error, { requestId: request.id, url: request.url, trace })
  }
  const text = JSON.stringify(problemDocument(problem, request.id))
  return reply
    .code(problemKinds[problem.code].status)
    .headers({ 'cache-control': 'no-store', [requestIdHeader]: request.id, ...problem.headers })
    .type('application/problem+json')
    .send(text)
}

/** What is no HTTP: Node has no request to answer, only the socket. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const problem = new ProblemError(isTooLarge ? 'payload_too_large' : 'invalid_request', {
    detail: isTooLarge
      ? 'Address and headers of the request are larger than 16 KiB together'
      : 'What came is not a request of HTTP/1.1',
  })
  const { status, title } = problemKinds[problem.code]
  const text = JSON.stringify(problemDocument(problem, 'none'))
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
}
