import { z } from 'zod'
import type { Connection } from '../connection.ts'
import type { CreditPool } from '../credit-pool.ts'
import type { Feed } from '../feed.ts'
import type { VenueContext } from '../venue.ts'
import { type Params, publicMethods, readParams, serverVersion } from './deribit-methods.ts'
import { heartbeatNotification } from './deribit-text.ts'
import { JsonRpcError, rpcError, type RpcId, rpcResult } from './json-rpc.ts'

export interface DeribitSessionOptions {
  readonly connection: Connection
  readonly context: VenueContext
  readonly feed: Feed
  /** Whether a session, authorized or not, may have the channel. */
  readonly accepts: (channel: string, authorized: boolean) => boolean
  readonly requestCredits: CreditPool
  readonly subscribeCredits: CreditPool
}

/** Deribit's limits for a session without a key: https://docs.deribit.com, "Rate Limits". */
export const requestCost = 500
const subscribeCost = 3000
const maxChannelsPerMessage = 500
const minHeartbeatSeconds = 10

const request = z.object({
  id: z.union([z.number(), z.string(), z.null()]).optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).nullish(),
})

const channelsParams = z.object({
  channels: z.array(z.string()).max(maxChannelsPerMessage),
})

const authParams = z.object({
  grant_type: z.literal('client_credentials'),
  client_id: z.string(),
  client_secret: z.string(),
})

/** The only account that the simulated venue knows. */
const account = { id: 'simulator', secret: 'simulated-secret' }

const tokenSeconds = 900

const heartbeatParams = z.object({ interval: z.coerce.number().min(minHeartbeatSeconds) })

/** One client's conversation over a Deribit WebSocket. */
export class DeribitSession {
  readonly #options: DeribitSessionOptions
  readonly #methods: ReadonlyMap<string, (params: Params) => string>
  #heartbeat: NodeJS.Timeout | undefined
  #testPending = false
  #authorized = false

  constructor(options: DeribitSessionOptions) {
    this.#options = options
    const methods: Readonly<Record<string, (params: Params) => string>> = {
      'public/hello': () => JSON.stringify({ version: serverVersion }),
      'public/test': () => {
        this.#testPending = false
        return JSON.stringify({ version: serverVersion })
      },
      'public/auth': (params) => this.#authorize(params),
      'public/set_heartbeat': (params) => this.#setHeartbeat(params),
      'public/disable_heartbeat': () => {
        this.#stopHeartbeat()
        return '"ok"'
      },
      'public/subscribe': (params) => this.#subscribe(params),
      'public/unsubscribe': (params) => this.#unsubscribe(params),
      'public/unsubscribe_all': () => {
        this.#leave([...options.connection.subscriptions])
        return '"ok"'
      },
    }
    this.#methods = new Map(Object.entries(methods))
  }

  receive(text: string): void {
    const { connection, context } = this.#options
    let message: z.infer<typeof request>
    try {
      message = request.parse(JSON.parse(text))
    } catch (error) {
      const code = error instanceof SyntaxError ? 'parseError' : 'invalidRequest'
      connection.send(rpcError(undefined, new JsonRpcError(code), context.now()))
      return
    }
    const id = message.id === undefined ? undefined : JSON.stringify(message.id)
    this.#answer(id, message.method, message.params ?? {})
  }

  /** The socket is gone. */
  end(): void {
    this.#stopHeartbeat()
    this.#leave([...this.#options.connection.subscriptions])
  }

  #answer(id: RpcId | undefined, method: string, params: Params): void {
    const { connection, context } = this.#options
    if (!this.#mayAsk(method)) {
      // Over the limit Deribit answers and ends the session.
      connection.send(rpcError(id, new JsonRpcError('tooManyRequests'), context.now()))
      connection.close(1008, 'too_many_requests')
      return
    }
    try {
      connection.send(rpcResult(id, this.#call(method, params), context.now()))
    } catch (error) {
      if (!(error instanceof JsonRpcError)) throw error
      connection.send(rpcError(id, error, context.now()))
    }
  }

  #call(method: string, params: Params): string {
    const own = this.#methods.get(method)
    if (own !== undefined) return own(params)
    const shared = publicMethods.get(method)
    if (shared !== undefined) return shared(params, this.#options.context)
    throw new JsonRpcError(method.startsWith('private/') ? 'unauthorized' : 'methodNotFound')
  }

  #mayAsk(method: string): boolean {
    const { context, requestCredits, subscribeCredits } = this.#options
    if (!context.limits) return true
    return method === 'public/subscribe'
      ? subscribeCredits.take(subscribeCost)
      : requestCredits.take(requestCost)
  }

  #subscribe(params: Params): string {
    const { accepts, connection, context, feed } = this.#options
    const accepted = [...new Set(readParams(channelsParams, params).channels)].filter((channel) =>
      accepts(channel, this.#authorized),
    )
    // What is due by now was for those who were there.
    context.flush()
    for (const channel of accepted) {
      connection.subscriptions.add(channel)
      if (context.channels.subscribe(channel, connection)) feed.open(channel)
    }
    return JSON.stringify(accepted)
  }

  #authorize(params: Params): string {
    const { client_id, client_secret } = readParams(authParams, params)
    if (client_id !== account.id || client_secret !== account.secret) {
      throw new JsonRpcError('invalidCredentials')
    }
    this.#authorized = true
    return JSON.stringify({
      access_token: 'simulated',
      refresh_token: 'simulated',
      token_type: 'bearer',
      scope: 'connection trade:read',
      expires_in: tokenSeconds,
    })
  }

  #unsubscribe(params: Params): string {
    const { subscriptions } = this.#options.connection
    const { channels } = readParams(channelsParams, params)
    return JSON.stringify(this.#leave(channels.filter((channel) => subscriptions.has(channel))))
  }

  #leave(channels: readonly string[]): readonly string[] {
    const { connection, context, feed } = this.#options
    for (const channel of channels) {
      connection.subscriptions.delete(channel)
      if (context.channels.unsubscribe(channel, connection)) feed.close(channel)
    }
    return channels
  }

  #setHeartbeat(params: Params): string {
    const { interval } = readParams(heartbeatParams, params)
    this.#stopHeartbeat()
    const everyMs = interval * this.#options.context.protocolSecondMs
    this.#heartbeat = setInterval(() => this.#beat(), everyMs)
    return '"ok"'
  }

  #beat(): void {
    const { connection } = this.#options
    if (this.#testPending) {
      this.#stopHeartbeat()
      connection.close(1008, 'no answer to test_request')
      return
    }
    this.#testPending = true
    connection.send(heartbeatNotification('heartbeat'))
    connection.send(heartbeatNotification('test_request'))
  }

  #stopHeartbeat(): void {
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
    this.#testPending = false
  }
}
