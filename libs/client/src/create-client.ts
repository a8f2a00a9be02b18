import { GatewayError } from './gateway-error.ts'
import { MarketStream } from './market-stream.ts'
import { createRest } from './rest.ts'
import type { Rest } from './rest.ts'

/** The stream's next try waits for the answer that tells whether the token is refused. */
const probeWithinMs = 5_000

export interface ClientOptions {
  /** Base address of the gateway: `http://127.0.0.1:9104`, or with a path where a proxy adds one. */
  readonly url: string
  /** API key or JWT. */
  readonly token?: string | undefined
}

/** A gateway: its REST resources and its stream. */
export interface Client extends Rest, Disposable {
  /** The client's stream: one WebSocket for all subscriptions, the same object at each call. */
  stream(): MarketStream
  /** From now on with another token, or none; the stream connects again and goes on from where it was. */
  setToken(token: string | undefined): void
  /** Ends the stream. */
  close(): void
}

export function createClient({ url, token }: ClientOptions): Client {
  let current = token
  const rest = createRest(url, () => current)
  const stream = new MarketStream(
    url,
    () => current,
    async () => {
      try {
        await rest.instruments({ limit: 1 }, { signal: AbortSignal.timeout(probeWithinMs) })
        return false
      } catch (error) {
        return (
          error instanceof GatewayError &&
          (error.code === 'unauthenticated' || error.code === 'forbidden')
        )
      }
    },
  )
  const close = (): void => stream.close()
  return {
    ...rest,
    stream: () => stream,
    setToken: (next) => {
      current = next
      stream.reconnect()
    },
    close,
    [Symbol.dispose]: close,
  }
}
