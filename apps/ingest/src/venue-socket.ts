import { WebSocket } from 'ws'

import { ConnectionLost } from './feed.ts'
import type { Refusal } from './feed.ts'
import type { FrameRecorder } from './frame-recorder.ts'

/**
 * Largest frame, in bytes: far above what venues send, and below what a record of `rejected` may hold
 * (8 MiB), where a frame that cannot be read goes as it came: bytes that are no text grow to three times
 * their size on the way. A larger one ends the connection with 1009, and the next one catches up.
 */
const maxFrameBytes = 2 * 1024 ** 2

/** Too many requests, a ban for not heeding that (Binance's), a firewall's. */
const tooMany: ReadonlySet<number> = new Set([429, 418, 403])

/**
 * How many times as long as silence a connection may go without an answer while it sends: an answer
 * comes behind all that was sent before it, and a busy reader needs its time for that.
 */
const answerPatience = 3

export interface VenueSocketOptions {
  readonly url: string
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  /** Called for each text frame, the socket at hand even before `connect` has returned it. */
  readonly onMessage: (text: string, socket: VenueSocket) => void
  readonly signal: AbortSignal
  /** Gets every text frame before anybody else. */
  readonly recorder?: FrameRecorder | undefined
}

/**
 * A venue's WebSocket as all feeds use it: an end of it is noticed even if the venue just falls
 * silent, and requests with an id are paired with their answers.
 */
export class VenueSocket implements Disposable {
  readonly closed: Promise<string>
  readonly #socket: WebSocket
  readonly #end = Promise.withResolvers<string>()
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #idleTimeoutMs: number
  readonly #idle: NodeJS.Timeout
  #lastId = 0
  #heardAt = performance.now()
  /** Of the last answer; of the oldest request where none has come since. */
  #answeredAt = performance.now()
  #paused = false
  #over = false

  private constructor(socket: WebSocket, options: VenueSocketOptions) {
    this.#socket = socket
    this.closed = this.#end.promise
    this.#idleTimeoutMs = options.idleTimeoutMs
    const conn = options.recorder?.opened() ?? 0
    socket.on('message', (data) => {
      this.#heardAt = performance.now()
      // Frames are still handed over while a connection closes; one that we ended is not read on.
      if (this.#over) return
      // The default binaryType gives Buffers.
      const text = (data as Buffer).toString('utf8')
      options.recorder?.received(conn, text)
      options.onMessage(text, this)
    })
    socket.on('ping', () => {
      this.#heardAt = performance.now()
    })
    socket.on('error', (error) => this.#finish(error.message))
    socket.on('close', (code, reason) =>
      this.#finish(`closed by the venue with ${code} ${reason.toString('utf8')}`.trim()),
    )
    this.#idle = setInterval(() => this.#checkSilence(), Math.max(50, this.#idleTimeoutMs / 10))
  }

  /** @throws ConnectionLost if there is no connection within the timeout. */
  static async connect(options: VenueSocketOptions): Promise<VenueSocket> {
    options.signal.throwIfAborted()
    const socket = new WebSocket(options.url, {
      handshakeTimeout: options.connectTimeoutMs,
      perMessageDeflate: false,
      maxPayload: maxFrameBytes,
    })
    let refusal: Refusal | undefined
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode: status = 0, headers } = response
      if (tooMany.has(status)) {
        refusal = { status, retryAfter: headers['retry-after'] ?? null, body: '' }
      }
      // As `ws` says it where nobody listens.
      socket.emit('error', new Error(`Unexpected server response: ${status}`))
    })
    const venueSocket = new VenueSocket(socket, options)
    const opened = new Promise<'open'>((resolve) => {
      socket.once('open', () => resolve('open'))
    })
    const abort = (): void => venueSocket[Symbol.dispose]()
    options.signal.addEventListener('abort', abort, { once: true })
    void venueSocket.closed.finally(() => options.signal.removeEventListener('abort', abort))
    const outcome = await Promise.race([opened, venueSocket.closed])
    if (outcome !== 'open') throw new ConnectionLost(`${options.url}: ${outcome}`, { refusal })
    return venueSocket
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message))
  }

  /** For what a venue wants to be no JSON. */
  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  /**
   * Sends a request under an id of its own.
   *
   * @returns the result that `answer` is called with for the id.
   * @throws ConnectionLost, or what `fail` is called with.
   */
  request(message: object): Promise<unknown> {
    return this.requestNumbered((id) => ({ ...message, id }))
  }

  /** The same for a venue that wants the id elsewhere, or as a text. */
  requestNumbered(message: (id: number) => object): Promise<unknown> {
    return this.question((id) => this.send(message(id)))
  }

  /** The same for what is no JSON. */
  question(send: (id: number) => void): Promise<unknown> {
    if (this.#over) return Promise.reject(new ConnectionLost('The connection has ended'))
    if (this.#answers.size === 0) this.#answeredAt = performance.now()
    this.#lastId += 1
    const answer = Promise.withResolvers<unknown>()
    this.#answers.set(this.#lastId, answer)
    send(this.#lastId)
    return answer.promise
  }

  /** @returns whether anybody waited for it. */
  answer(id: number, result: unknown): boolean {
    this.#answeredAt = performance.now()
    const waiting = this.#answers.get(id)
    this.#answers.delete(id)
    waiting?.resolve(result)
    return waiting !== undefined
  }

  /** @returns whether anybody waited for it. */
  fail(id: number | undefined, message: string): boolean {
    this.#answeredAt = performance.now()
    const waiting = id === undefined ? undefined : this.#answers.get(id)
    if (id !== undefined) this.#answers.delete(id)
    waiting?.reject(new ConnectionLost(message))
    return waiting !== undefined
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#heardAt = performance.now()
    this.#answeredAt = this.#heardAt
    this.#socket.resume()
  }

  [Symbol.dispose](): void {
    this.#finish('ended by us')
  }

  #checkSilence(): void {
    // While we do not read, silence is ours.
    if (this.#paused || this.#socket.readyState === WebSocket.CONNECTING) return
    const heardAt = this.#heardAt
    const silentMs = performance.now() - heardAt
    if (silentMs > this.#idleTimeoutMs) {
      this.#finishUnless(() => this.#heardAt > heardAt, `silent for ${Math.round(silentMs)} ms`)
    }
    if (this.#answers.size === 0) return
    const answeredAt = this.#answeredAt
    const muteMs = performance.now() - answeredAt
    if (muteMs > this.#idleTimeoutMs * answerPatience) {
      const reason = `sends, and has answered nothing for ${Math.round(muteMs)} ms`
      this.#finishUnless(() => this.#answeredAt > answeredAt, reason)
    }
  }

  /** After a stall of our own the timer comes before what the socket holds: that is read first. */
  #finishUnless(isAlive: () => boolean, reason: string): void {
    setImmediate(() => {
      if (!this.#paused && !isAlive()) this.#finish(reason)
    })
  }

  #finish(reason: string): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#idle)
    // A socket that is not read sees no close, and one that hangs sends none.
    this.#socket.terminate()
    for (const { reject } of this.#answers.values()) reject(new ConnectionLost(reason))
    this.#answers.clear()
    this.#end.resolve(reason)
  }
}
