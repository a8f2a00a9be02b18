import type { ClientMessage, ServerMessage } from '@tickertape/market-api'
import { bearerSubprotocolPrefix, streamSubprotocol } from '@tickertape/market-api/subprotocol'

/** How long a connection may take until the gateway's first message. */
const welcomeWithinMs = 10_000
/** Silence after which the gateway is asked whether it is there. Mostly a cursor comes each second. */
const askAfterMs = 5_000
/** How long it may take to answer before the connection is taken for dead. */
const answerWithinMs = 5_000

export interface ConnectionEnd {
  /** Close code; 1006 if the connection broke without one. */
  readonly code: number
  readonly reason: string
  /** Whether the handshake had succeeded. */
  readonly opened: boolean
}

export interface ConnectionListener {
  message(message: ServerMessage): void
  /** Called once, and nothing after it. */
  ended(end: ConnectionEnd): void
}

/** One life of a WebSocket to the gateway. */
export class Connection {
  readonly #socket: WebSocket
  readonly #listener: ConnectionListener
  readonly #watchdog: ReturnType<typeof setInterval>
  #opened = false
  #ended = false
  #welcomed = false
  #heardAt = Date.now()
  #askedAt = 0

  /** @param url base address of the gateway, http or https. */
  constructor(url: string, token: string | undefined, listener: ConnectionListener) {
    const protocols = [streamSubprotocol]
    if (token !== undefined) protocols.push(bearerSubprotocolPrefix + token)
    this.#listener = listener
    this.#socket = new WebSocket(streamAddress(url), protocols)
    this.#socket.addEventListener('open', () => {
      this.#opened = true
    })
    this.#socket.addEventListener('message', ({ data }) => this.#receive(data))
    this.#socket.addEventListener('close', ({ code, reason }) => this.#end(code, reason))
    // What follows an error is a close, which says more.
    this.#socket.addEventListener('error', () => undefined)
    this.#watchdog = setInterval(() => this.#watch(), 1_000)
  }

  send(message: ClientMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  /** Ends it without telling the listener. */
  close(): void {
    this.#ended = true
    clearInterval(this.#watchdog)
    this.#socket.close(1000)
  }

  #receive(data: unknown): void {
    if (this.#ended) return
    this.#heardAt = Date.now()
    for (const message of messagesOf(data)) {
      if (message.type === 'welcome') this.#welcomed = true
      this.#listener.message(message)
      if (this.#isEnded()) return
    }
  }

  /** A device that slept, or changed its network, finds its connection dead here, long before TCP would. */
  #watch(): void {
    const now = Date.now()
    const silentMs = now - this.#heardAt
    if (!this.#welcomed) {
      if (silentMs > welcomeWithinMs) this.#giveUp(silentMs)
    } else if (silentMs > askAfterMs) {
      if (this.#askedAt <= this.#heardAt) {
        this.#askedAt = now
        this.send({ type: 'ping' })
      } else if (now - this.#askedAt > answerWithinMs) {
        this.#giveUp(silentMs)
      }
    }
  }

  #giveUp(silentMs: number): void {
    this.#end(1006, `nothing was heard for ${Math.round(silentMs / 1_000)} s`)
    this.#socket.close()
  }

  /** A listener may have closed it meanwhile, which the compiler does not see. */
  #isEnded(): boolean {
    return this.#ended
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#watchdog)
    this.#listener.ended({ code, reason, opened: this.#opened })
  }
}

/** Frames hold an array of messages; what is none, and messages of a later protocol, are passed over. */
function messagesOf(data: unknown): readonly ServerMessage[] {
  if (typeof data !== 'string') return []
  try {
    const messages: unknown = JSON.parse(data)
    // The gateway's contract, which its own tests hold.
    return Array.isArray(messages) ? (messages as ServerMessage[]) : []
  } catch {
    return []
  }
}

function streamAddress(url: string): string {
  return `${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/stream`
}
