import fastify from 'fastify'
import type { Registry } from 'prom-client'

import type { Readiness } from './readiness.ts'

export interface AdminServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly readiness: Readiness
  readonly metrics: Registry
}

export interface AdminServer extends AsyncDisposable {
  readonly port: number
}

/**
 * Serves `/livez` (200 while the process answers), `/readyz` (200, or 503 with the reasons; either way with what is
 * degraded) and
 * `/metrics` in Prometheus' text format.
 *
 * @throws Error that names the port if it is taken.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.get('/livez', () => ({ live: true }))
  server.get('/readyz', async (_request, reply) => {
    const { degraded, reasons } = options.readiness
    await reply
      .code(reasons.length === 0 ? 200 : 503)
      .send({ ready: reasons.length === 0, reasons, degraded })
  })
  server.get('/metrics', async (_request, reply) => {
    await reply.type(options.metrics.contentType).send(await options.metrics.metrics())
  })
  try {
    await server.listen({ host: options.host, port: options.port })
  } catch (error) {
    // Node's listen errors carry a code.
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(
      `The admin port ${options.host}:${options.port} is taken by another process: stop that one, or choose another port`,
      { cause: error },
    )
  }
  const address = server.server.address()
  return {
    // A TCP server's address is an object.
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    [Symbol.asyncDispose]: async () => {
      await server.close()
    },
  }
}
