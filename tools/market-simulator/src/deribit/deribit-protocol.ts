import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext, VenueProtocol } from '../venue.ts'
import { openSession } from '../venue-session.ts'
import { publicMethods } from './deribit-methods.ts'
import { DeribitSession, requestCost } from './deribit-session.ts'
import { JsonRpcError, rpcError, rpcResult } from './json-rpc.ts'

const maxConnections = 32

const requestPool = { capacity: 50_000, refillPerSecond: 10_000 }

const subscribePool = { capacity: 30_000, refillPerSecond: 10_000 }

export interface DeribitProtocolOptions {
  readonly context: VenueContext
  readonly feed: Feed
  /** Whether a session, authorized or not, may have the channel. */
  readonly accepts: (channel: string, authorized: boolean) => boolean
}

/**
 * Deribit's public API: JSON-RPC 2.0 at /ws/api/v2 and the same methods by GET under /api/v2.
 *
 * Sessions without a key share their limits by address; all clients here come from one machine, so
 * one pool serves them all.
 */
export class DeribitProtocol implements VenueProtocol {
  readonly feed: Feed
  readonly #options: DeribitProtocolOptions
  readonly #requestCredits: CreditPool
  readonly #subscribeCredits: CreditPool

  constructor(options: DeribitProtocolOptions) {
    const { realTime } = options.context
    this.feed = options.feed
    this.#options = options
    this.#requestCredits = new CreditPool({ ...requestPool, realTime })
    this.#subscribeCredits = new CreditPool({ ...subscribePool, realTime })
  }

  speaksAt(path: string): boolean {
    return path === '/ws/api/v2'
  }

  mayConnect(): boolean {
    const { connections, limits } = this.#options.context
    if (!limits) return true
    return connections.all().filter(({ venue }) => venue === 'deribit').length < maxConnections
  }

  accept(socket: WebSocket, transport: Duplex): void {
    const { accepts, context, feed } = this.#options
    openSession(
      context,
      'deribit',
      { socket, transport },
      (connection) =>
        new DeribitSession({
          connection,
          context,
          feed,
          accepts,
          requestCredits: this.#requestCredits,
          subscribeCredits: this.#subscribeCredits,
        }),
    )
  }

  routes(app: FastifyInstance): void {
    app.get<{ Params: { '*': string } }>('/api/v2/*', (request, reply) =>
      this.#answer(request.params['*'], request, reply),
    )
  }

  #answer(method: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { context } = this.#options
    reply.type('application/json')
    try {
      if (context.limits && !this.#requestCredits.take(requestCost)) {
        throw new JsonRpcError('tooManyRequests')
      }
      const call = publicMethods.get(method)
      if (call === undefined) throw new JsonRpcError('methodNotFound')
      // Fastify gives the query as an object of texts.
      const params = request.query as Readonly<Record<string, unknown>>
      return reply.send(rpcResult(undefined, call(params, context), context.now()))
    } catch (error) {
      if (!(error instanceof JsonRpcError)) throw error
      reply.code(error.code === 'tooManyRequests' ? 429 : 400)
      return reply.send(rpcError(undefined, error, context.now()))
    }
  }
}
