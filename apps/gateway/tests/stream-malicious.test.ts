import { request } from 'node:http'
import type { Duplex } from 'node:stream'

import { waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { Peer, StreamBed } from './stream-bed.ts'
import type { MemoryView } from '../src/stream/testing/memory-view.ts'

const btc = 'binance:BTCUSDT'
const candles = { id: 'a', channel: 'candles', instruments: [btc], intervals: ['1m'] } as const

/** Whoever else is connected has what it subscribed to, whatever one client does. */
async function expectOthersServed(bed: StreamBed<MemoryView>): Promise<void> {
  using other = await Peer.connect(bed.url)
  other.subscribe(candles)
  await other.message('snapshot')
  bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
  await other.message('candle')
  expect(other.closed).toBeUndefined()
}

// The library answers pings by itself, uncounted: whoever sent them without end and read nothing had the gateway hold
// all the answers.
it('pings without end count as messages, and close the connection', async () => {
  await using bed = await StreamBed.open({ limits: { messagesPerSecond: 20 } })
  using peer = await Peer.connect(bed.url)
  await peer.message('welcome')
  peer.socket.pause()
  for (let count = 0; count < 10_000; count += 1) peer.socket.ping('x'.repeat(125))
  await bed.closedFor('tooManyMessages')
  expect(await bed.metric('gateway_stream_socket_bytes')).toBe(0)
  await expectOthersServed(bed)
})

it('a message in fragments is as long as all of them', async () => {
  await using bed = await StreamBed.open({ limits: { messageBytes: 1_024 } })
  using peer = await Peer.connect(bed.url)
  for (let count = 0; count < 20; count += 1) peer.socket.send('x'.repeat(100), { fin: false })
  expect(await peer.closing()).toMatchObject({ code: 1009 })
  await bed.closedFor('messageTooLarge')
  await expectOthersServed(bed)
})

it('a compressed message is as long as what it unpacks to', async () => {
  await using bed = await StreamBed.open({ limits: { messageBytes: 65_536 }, compression: true })
  using peer = await Peer.connect(bed.url)
  await peer.message('welcome')
  expect(peer.socket.extensions).toContain('permessage-deflate')
  peer.socket.send('x'.repeat(50_000_000), { compress: true })
  expect(await peer.closing()).toMatchObject({ code: 1009 })
  await expectOthersServed(bed)
})

it.each([
  ['nests arrays', '['.repeat(30_000)],
  ['nests objects', `${'{"type":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
  ['has thousands of names of a wrong type', subscribeTo(Array.from({ length: 10_000 }, () => 1))],
  ['has thousands of names', subscribeTo(Array.from({ length: 5_000 }, (_, at) => `v:${at}`))],
  ['has a pattern of nothing but stars', subscribeTo(['*'.repeat(60_000)])],
  ['would change prototypes', '{"__proto__":{"type":"subscribe"},"type":"constructor"}'],
])('a message that %s is answered by one that is short', async (_how, message) => {
  await using bed = await StreamBed.open()
  using peer = await Peer.connect(bed.url)
  peer.send(message)
  const { message: told } = await peer.message('error')
  expect(told.length).toBeLessThan(2_000)
  expect(peer.closed).toBeUndefined()
  await expectOthersServed(bed)
})

function subscribeTo(instruments: readonly unknown[]): string {
  return JSON.stringify({ type: 'subscribe', ...candles, instruments })
}

it.each([
  ['is not masked', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
  ['has a reserved bit', Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002],
  ['is of no kind that there is', Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002],
  ['is a text that is not UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007],
  // Nothing of it has come, and nothing is waited for.
  ['says that it is 4 GB long', Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]), 1009],
])('a frame that %s ends the connection', async (_what, frame, code) => {
  await using bed = await StreamBed.open()
  using raw = await RawPeer.connect(bed.url)
  raw.write(frame)
  await waitUntil('the close frame', () => raw.closeCode === code)
  await waitUntil('the connection to end', () => bed.stream.clients === 0)
  await expectOthersServed(bed)
})

it('who does not answer a close is cut off', async () => {
  await using bed = await StreamBed.open()
  using raw = await RawPeer.connect(bed.url)
  // Masked by zeros: "{}" is no message of the protocol.
  for (let count = 0; count < 5; count += 1) {
    raw.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]))
  }
  await waitUntil('the close frame', () => raw.closeCode === 4400)
  await waitUntil('the connection to be cut', () => raw.isOver)
  expect(bed.stream.clients).toBe(0)
  await bed.closedFor('invalidMessages')
})

/** A client that writes bytes of its own after the handshake and never answers anything. */
class RawPeer implements Disposable {
  isOver = false
  readonly #socket: Duplex
  #received: Buffer

  private constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#received = head
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.isOver = true
    })
  }

  static async connect(url: string): Promise<RawPeer> {
    const upgraded = Promise.withResolvers<RawPeer>()
    const upgrade = request(url.replace('ws:', 'http:'), {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    })
    upgrade.on('upgrade', (_response, socket, head) => upgraded.resolve(new RawPeer(socket, head)))
    upgrade.on('error', upgraded.reject)
    upgrade.end()
    return await upgraded.promise
  }

  /** Of the close frame, if one has come. */
  get closeCode(): number | undefined {
    const { length } = this.#received
    let at = 0
    while (at + 2 <= length) {
      const kind = this.#received[at]
      const short = (this.#received[at + 1] ?? 0) & 0x7f
      const header = short === 126 ? 4 : 2
      const size = short === 126 && at + 4 <= length ? this.#received.readUInt16BE(at + 2) : short
      if (kind === 0x88 && at + header + 2 <= length)
        return this.#received.readUInt16BE(at + header)
      at += header + size
    }
    return undefined
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
