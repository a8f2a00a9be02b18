import { once } from 'node:events'
import { formatDecimal, parseDecimal } from '@tickertape/market-model'
import { type RawData, WebSocket } from 'ws'
import { frameText } from '../src/frame-text.ts'
import type { SimulatedTrade } from '../src/index.ts'
import { parseExactJson } from '../src/replay/exact-json.ts'

export interface ClientOptions {
  /** False leaves the server's pings unanswered. */
  readonly autoPong?: boolean
}

/** A WebSocket client that keeps everything it received, and waits for conditions. */
export class VenueClient implements AsyncDisposable {
  /** Every frame, in order of arrival. */
  readonly frames: string[] = []
  /** The trades of all frames, in order of arrival. */
  readonly trades: ReceivedTrade[] = []
  /** For each frame, how many trades had come before it. */
  readonly #tradesBefore: number[] = []
  pings = 0
  closeCode: number | undefined
  readonly #socket: WebSocket
  #waiting: (() => void)[] = []

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (bytes: RawData) => {
      const frame = frameText(bytes)
      this.frames.push(frame)
      this.#tradesBefore.push(this.trades.length)
      this.trades.push(...tradesIn(frame))
      this.#wake()
    })
    socket.on('ping', () => {
      this.pings += 1
      this.#wake()
    })
    socket.on('close', (code: number) => {
      this.closeCode = code
      this.#wake()
    })
    socket.on('error', () => this.#wake())
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<VenueClient> {
    const socket = new WebSocket(url, { autoPong: options.autoPong ?? true })
    const client = new VenueClient(socket)
    await once(socket, 'open')
    return client
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  stopReading(): void {
    this.#socket.pause()
  }

  /** Waits, event by event, until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The first frame from this index on that fits, once it is here. */
  async frame(fits: (frame: string) => boolean, from = 0): Promise<string> {
    let found: string | undefined
    await this.until(() => (found = this.frames.slice(from).find(fits)) !== undefined)
    return found ?? ''
  }

  /** Sends a request with an id of its own and gives its answer. */
  async call(method: string, params: unknown = {}): Promise<Answer> {
    const id = `call-${this.frames.length}-${Math.random()}`
    const from = this.frames.length
    this.send({ jsonrpc: '2.0', id, method, params })
    const answer = await this.frame((frame) => frame.includes(`"id":"${id}"`), from)
    const tradesBefore = this.#tradesBefore[this.frames.indexOf(answer)] ?? 0
    // The shape is what the tests that read it check.
    return { ...(JSON.parse(answer) as Answer), tradesBefore }
  }

  async closed(): Promise<number> {
    await this.until(() => this.closeCode !== undefined)
    return this.closeCode ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closeCode !== undefined) return
    this.#socket.terminate()
    await this.closed()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

export interface Answer {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
  /** How many trades had come on the socket before the answer. */
  readonly tradesBefore: number
}

/** What trades are compared by; prices and quantities in plain digits without trailing zeros. */
export interface ReceivedTrade {
  readonly instrument: string
  readonly sequence: number
  readonly eventTime: number
  readonly price: string
  readonly quantity: string
  readonly takerSide: 'buy' | 'sell'
}

/** The truth, in the form of what is received. */
export function asReceived(trade: SimulatedTrade): ReceivedTrade {
  const { eventTime, instrument, sequence, takerSide } = trade
  const price = plain(trade.price)
  return { instrument, sequence, eventTime, price, quantity: plain(trade.quantity), takerSide }
}

/** The trades in a frame of either venue; none for any other frame, and none for broken JSON. */
export function tradesIn(frame: string): readonly ReceivedTrade[] {
  if (!isJson(frame)) return []
  return frame.includes('"method":"subscription"') ? deribitTrades(frame) : binanceTrades(frame)
}

function deribitTrades(frame: string): readonly ReceivedTrade[] {
  // Only trades notifications are subscribed to in these tests.
  const { params } = parseExactJson(frame) as { params: { data: DeribitTrade[] } }
  return params.data.map((trade) => ({
    instrument: trade.instrument_name,
    sequence: Number(trade.trade_seq.rawJSON),
    eventTime: Number(trade.timestamp.rawJSON),
    price: plain(trade.price.rawJSON),
    quantity: plain(trade.amount.rawJSON),
    takerSide: trade.direction,
  }))
}

interface DeribitTrade {
  readonly instrument_name: string
  readonly trade_seq: { readonly rawJSON: string }
  readonly timestamp: { readonly rawJSON: string }
  readonly price: { readonly rawJSON: string }
  readonly amount: { readonly rawJSON: string }
  readonly direction: 'buy' | 'sell'
}

function binanceTrades(frame: string): readonly ReceivedTrade[] {
  if (!frame.includes('"e":"trade"')) return []
  // A combined event has the trade under `data`, a raw one is the trade.
  const event = JSON.parse(frame) as { data?: BinanceTrade } & BinanceTrade
  const trade = event.data ?? event
  return [
    {
      instrument: trade.s,
      sequence: trade.t,
      eventTime: trade.T,
      price: plain(trade.p),
      quantity: plain(trade.q),
      takerSide: trade.m ? 'sell' : 'buy',
    },
  ]
}

interface BinanceTrade {
  readonly s: string
  readonly t: number
  readonly T: number
  readonly p: string
  readonly q: string
  readonly m: boolean
}

export function isJson(frame: string): boolean {
  try {
    JSON.parse(frame)
    return true
  } catch {
    return false
  }
}

function plain(number: string): string {
  const value = parseDecimal(number)
  if (value === undefined) throw new Error(`"${number}" is no number`)
  return formatDecimal(value)
}

export interface JsonResponse<Body> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

/** @typeParam Body what the test takes the answer for; it checks the fields itself */
export async function getJson<Body>(url: string): Promise<JsonResponse<Body>> {
  return readJson(await fetch(url))
}

export async function postJson<Body>(url: string, body?: unknown): Promise<JsonResponse<Body>> {
  const content =
    body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return readJson(await fetch(url, { method: 'POST', ...content }))
}

async function readJson<Body>(response: Response): Promise<JsonResponse<Body>> {
  const text = await response.text()
  // See getJson: the caller names the shape and checks what it uses.
  const body = JSON.parse(text) as Body
  return { status: response.status, headers: response.headers, text, body }
}

/** Asks again, without a pause beyond the request itself, until the condition holds. */
export async function poll<Value>(
  ask: () => Promise<Value>,
  holds: (value: Value) => boolean,
): Promise<Value> {
  for (;;) {
    const value = await ask()
    if (holds(value)) return value
  }
}
