import { closeCodes } from '@tickertape/market-api'
import type { CloseReason } from '@tickertape/market-api'
import type { RawData, WebSocket } from 'ws'

import type { Caller } from '../admission.ts'
import { readClientMessage } from './client-message.ts'
import type { EndReason, StreamEvents } from './events.ts'
import { MessageBudget } from './message-budget.ts'
import { errorText, plainText } from './messages.ts'
import { Outbox } from './outbox.ts'
import { SendingsUnderway } from './sendings-underway.ts'
import type { StreamOptions } from './settings.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { InTurns } from './turns.ts'

/** Length from which on a frame takes no further message, in characters. */
const frameLength = 65_536

/** Frames that one client gets in a round: a long snapshot must not hold the others up. */
const framesInRound = 4

/** Messages that are not of the protocol before the connection is closed. */
const mostInvalidMessages = 5

/** How long a client may take to answer a close, in ms. */
const closeGraceMs = 2_000

/** Why the gateway closes a connection. */
export type ClosedBecause = CloseReason | 'unknowable' | 'shutdown'

/**
 * Codes of what has none of its own. Whoever may be good is told to come again, and the handshake decides: a
 * client that hears 4401 gives up.
 */
const otherCodes = { unknowable: closeCodes.streamReset, shutdown: 1001 } as const

const closeTexts: Readonly<Record<ClosedBecause, string>> = {
  invalidMessages: 'too many messages that are not of the protocol: see /v1/asyncapi.json',
  unauthenticated: 'the key or token is not valid any more: connect with another',
  unknowable: 'whether the key is still valid cannot be told now: come again with the cursor',
  tooManyConnections: 'more connections than one address or key may have: close some',
  tooManyMessages: 'more messages than a client may send: wait, and send fewer',
  noPong: 'pings were not answered',
  slowConsumer: 'messages were not taken in time: follow less, or read faster',
  streamReset: 'the gateway had to begin anew: come again with the cursor',
  shutdown: 'the gateway ends: come again with the cursor',
}

/** What a client needs of the stream. */
export interface StreamClientContext {
  readonly name: string
  readonly caller: Caller
  readonly options: StreamOptions
  readonly events: StreamEvents
  /** There is something to write: to be called in the next round. */
  readonly touch: (client: StreamClient) => void
  readonly onEnd: (client: StreamClient) => void
  subscriptionsOf(client: StreamClient): Subscriptions<StreamClient>
}

/** What one call of `write` did. */
export interface Written {
  frames: number
  bytes: number
}

/** One connection. Times are by performance.now(). */
export class StreamClient implements InTurns {
  readonly outbox = new Outbox()
  readonly subscriptions: Subscriptions<StreamClient>
  /** Whether it is among those of the next round already. */
  isTouched = false
  readonly #socket: WebSocket
  readonly #context: StreamClientContext
  readonly #budget: MessageBudget
  readonly #underway = new SendingsUnderway()
  #invalidMessages = 0
  #endReason: EndReason | undefined
  #isClosing = false
  /** Frames that the socket has not passed on. */
  #framesUnderway = 0
  /** When the socket last passed a frame on, or began to have some. */
  #progressAt = 0
  /** When the oldest ping without an answer was sent. */
  #pingedAt: number | undefined
  #heartbeatAt: number
  #cursor: string | undefined
  #cursorAt = Number.NEGATIVE_INFINITY

  constructor(socket: WebSocket, context: StreamClientContext, now: number) {
    this.#socket = socket
    this.#context = context
    this.#heartbeatAt = now
    this.#budget = new MessageBudget(context.options.limits.messagesPerSecond, now)
    this.subscriptions = context.subscriptionsOf(this)
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary))
    socket.on('pong', () => {
      this.#pingedAt = undefined
    })
    // The library answers them by itself.
    socket.on('ping', () => this.#isWithinBudget())
    socket.on('error', (error) => this.#onError(error))
    socket.on('close', (code) => this.#onClose(code))
    this.#welcome()
  }

  get caller(): Caller {
    return this.#context.caller
  }

  /** Bytes that the socket has not taken. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** A cursor that differs from the last one may be sent now. */
  isCursorDue(now: number, cursor: string): boolean {
    return (
      this.subscriptions.size > 0 &&
      // Of what one that is not answered has missed, it would say that it was sent.
      !this.subscriptions.isWaiting &&
      cursor !== this.#cursor &&
      now - this.#cursorAt >= this.#context.options.cursorMs
    )
  }

  /**
   * Writes what waits, as far as the socket takes it.
   *
   * @param cursor where the view stands: it is sent if it is due and nothing is left before it.
   */
  write(now: number, cursor: string, written: Written): void {
    const { options, touch } = this.#context
    if (this.#isClosing) return
    if (this.outbox.bytes > options.outboxBytes) {
      this.close('slowConsumer')
      return
    }
    for (let frames = 0; frames < framesInRound; frames += 1) {
      // What is open is conflated from here on; `#onWritten` calls for the next round.
      if (this.#socket.bufferedAmount > options.socketBytes) return
      const due = this.isCursorDue(now, cursor)
      const frame = this.outbox.take(frameLength, due ? cursorText(cursor) : undefined)
      if (frame === undefined) return
      if (due && this.outbox.isEmpty) {
        this.#cursor = cursor
        this.#cursorAt = now
      }
      this.#send(frame, now)
      written.frames += 1
      written.bytes += frame.length
    }
    if (!this.outbox.isEmpty) touch(this)
  }

  /** Answers some of the subscriptions that wait for it. @returns whether there are more to answer now. */
  step(): boolean {
    const hasMore = this.subscriptions.step()
    if (!this.outbox.isEmpty) this.#context.touch(this)
    return hasMore
  }

  /** What has to be looked at now and then, though nothing happens. */
  watch(now: number, wallClock: number): void {
    const { options } = this.#context
    if (this.#isClosing) return
    if (this.#framesUnderway > 0 && now - this.#progressAt > options.writeDeadlineMs) {
      this.close('slowConsumer')
    } else if (this.#pingedAt !== undefined && now - this.#pingedAt > options.pongDeadlineMs) {
      this.close('noPong')
    } else if (now - this.#heartbeatAt >= options.heartbeatMs) {
      this.#heartbeatAt = now
      this.#beat(now, wallClock)
    }
  }

  /** Closes the connection; whoever does not answer is cut off. What waits is not sent any more. */
  close(reason: ClosedBecause): void {
    if (this.#isClosing) return
    this.#endReason ??= reason
    this.#end()
    const codes = { ...closeCodes, ...otherCodes }
    this.#socket.close(codes[reason], closeTexts[reason])
    this.#cutOffLater()
  }

  #cutOffLater(): void {
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref()
  }

  #send(frame: string, now: number): void {
    if (this.#framesUnderway === 0) this.#progressAt = now
    this.#framesUnderway += 1
    this.#socket.send(frame, this.#underway.inFrame(this.outbox.taken, this.#onWritten))
  }

  readonly #onWritten = (): void => {
    this.#framesUnderway -= 1
    this.#progressAt = performance.now()
    if (!this.outbox.isEmpty && !this.#isClosing) this.#context.touch(this)
  }

  #beat(now: number, wallClock: number): void {
    // Behind what a slow client has not read, neither would tell anything.
    if (this.#socket.bufferedAmount > this.#context.options.socketBytes) return
    this.#answer(plainText({ type: 'heartbeat', at: wallClock }))
    this.#pingedAt ??= now
    this.#socket.ping()
  }

  #welcome(): void {
    const { instance, heartbeatMs, limits } = this.#context.options
    const { subscriptions, instruments, messageBytes } = limits
    this.#answer(
      plainText({
        type: 'welcome',
        protocol: 1,
        instance,
        heartbeatMs,
        limits: { subscriptions, instruments, messageBytes },
      }),
    )
  }

  #answer(text: string): void {
    this.outbox.append(text)
    this.#context.touch(this)
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#isClosing) return
    if (!this.#isWithinBudget()) return
    if (isBinary) {
      this.#onInvalid(null, 'The message is binary: send JSON in text frames')
      return
    }
    // Text comes as one Buffer: ws gives fragments only where it is asked to.
    const read = readClientMessage((data as Buffer).toString('utf8'))
    if (!read.read) {
      this.#onInvalid(read.id, read.problem)
      return
    }
    const { message } = read
    switch (message.type) {
      case 'subscribe':
        this.subscriptions.subscribe(message)
        break
      case 'unsubscribe':
        this.subscriptions.unsubscribe(message.id)
        break
      case 'ping':
        this.outbox.append(plainText({ ...message, type: 'pong' }))
        break
    }
    this.#context.touch(this)
  }

  #isWithinBudget(): boolean {
    const isWithin = this.#budget.take(performance.now())
    if (!isWithin) this.close('tooManyMessages')
    return isWithin
  }

  #onInvalid(id: string | null, problem: string): void {
    const { events, name } = this.#context
    events.invalidMessage(name, problem)
    this.#invalidMessages += 1
    if (this.#invalidMessages >= mostInvalidMessages) this.close('invalidMessages')
    else this.#answer(errorText('invalid_message', id, problem))
  }

  /** ws closes the connection itself, with the code that the fault has. */
  #onError(error: Error): void {
    // ws's own errors carry a code.
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#endReason ??= 'messageTooLarge'
    else if (code.startsWith('WS_ERR_')) this.#endReason ??= 'protocolError'
    else this.#endReason ??= 'brokenOff'
    this.#end()
    this.#cutOffLater()
  }

  #onClose(code: number): void {
    const { events, name, caller, onEnd } = this.#context
    this.#end()
    this.#underway.end()
    events.ended(name, caller.name, this.#endReason ?? (code === 1006 ? 'brokenOff' : 'byClient'))
    onEnd(this)
  }

  #end(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.subscriptions.endAll()
    this.outbox.clear()
  }
}

function cursorText(position: string): string {
  return plainText({ type: 'cursor', position })
}
