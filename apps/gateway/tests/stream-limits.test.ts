import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'

import { describe, expect, it } from 'vitest'

import { Peer, StreamBed, anybody } from './stream-bed.ts'

const btc = 'binance:BTCUSDT'
const candles = { id: 'a', channel: 'candles', instruments: [btc], intervals: ['1m'] } as const

describe('a message that cannot be used', () => {
  it.each([
    ['no json', 'is not JSON'],
    ['[]', 'type must be subscribe, unsubscribe or ping'],
    ['null', 'type must be'],
    [{ type: 'constructor' }, 'type must be'],
    [{ type: 'subscribe', id: 'a', channel: 'gossip' }, 'channel: '],
    [{ type: 'subscribe', ...candles, intervals: ['2m'] }, 'intervals.0: '],
    [{ type: 'subscribe', ...candles, instruments: [17] }, 'instruments.0: '],
    [{ type: 'subscribe', ...candles, instruments: [] }, 'instruments: '],
    [{ type: 'subscribe', ...candles, snapshot: 301 }, 'snapshot: '],
    [{ type: 'unsubscribe' }, 'id: '],
  ])('%j is answered by what is wrong', async (message, problem) => {
    await using bed = await StreamBed.open()
    using peer = await Peer.connect(bed.url)
    peer.send(message)
    const error = await peer.message('error')
    expect(error).toMatchObject({ code: 'invalid_message' })
    expect(error.message).toContain(problem)
    expect(peer.closed).toBeUndefined()
  })

  it('closes the connection the fifth time, binary or not', async () => {
    await using bed = await StreamBed.open()
    using peer = await Peer.connect(bed.url)
    for (let count = 0; count < 4; count += 1) peer.socket.send(Buffer.from([1, 2, 3]))
    await peer.until('four answers', () => peer.of('error').length === 4)
    expect(peer.of('error')[0]?.message).toContain('binary')
    peer.send('{')
    expect(await peer.closing()).toMatchObject({ code: 4400 })
    await bed.closedFor('invalidMessages')
  })

  it('of a length beyond the limit closes it with 1009, unread', async () => {
    await using bed = await StreamBed.open({ limits: { messageBytes: 1_024 } })
    using peer = await Peer.connect(bed.url)
    peer.send('x'.repeat(10_000_000))
    expect(await peer.closing()).toMatchObject({ code: 1009 })
    await bed.closedFor('messageTooLarge')
  })
})

describe('a client that wants more than it may', () => {
  it('of ten thousand subscriptions has as many as are allowed, and hears why', async () => {
    await using bed = await StreamBed.open({
      limits: { subscriptions: 10, messagesPerSecond: 100_000 },
    })
    using peer = await Peer.connect(bed.url)
    for (let count = 0; count < 10_000; count += 1) peer.subscribe({ ...candles, id: `s${count}` })
    await peer.until('all answers', () => peer.of('error').length === 9_990)
    expect(new Set(peer.of('error').map(({ code }) => code))).toEqual(
      new Set(['too_many_subscriptions']),
    )
    expect(await bed.metric('gateway_stream_subscriptions')).toBe(10)
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
    await peer.message('candle')
    expect(peer.of('candle')).toHaveLength(1)
  })

  it('and sends them at once is closed for that', async () => {
    await using bed = await StreamBed.open({ limits: { messagesPerSecond: 20 } })
    using peer = await Peer.connect(bed.url)
    for (let count = 0; count < 10_000; count += 1) peer.subscribe({ ...candles, id: `s${count}` })
    expect(await peer.closing()).toMatchObject({ code: 4430 })
    expect(await bed.metric('gateway_stream_subscriptions')).toBe(0)
  })

  it('is told which of its limits a subscription is beyond', async () => {
    await using bed = await StreamBed.open({ limits: { instruments: 3, snapshotItems: 20 } })
    using peer = await Peer.connect(bed.url)
    const ask = async (
      id: string,
      instruments: readonly string[],
      snapshot = 1,
    ): Promise<string> => {
      peer.subscribe({ ...candles, id, instruments, snapshot })
      return await peer.until('an answer', () => {
        const error = peer.of('error').find((one) => one.id === id)
        return error?.code ?? (peer.of('subscribed').some((one) => one.id === id) && 'subscribed')
      })
    }
    expect(await ask('a', ['v:1', 'v:2', 'v:3', 'v:4'])).toBe('too_many_instruments')
    expect(await ask('b', ['v:1', 'v:2'])).toBe('subscribed')
    expect(await ask('c', ['v:1', 'v:2'])).toBe('too_many_instruments')
    expect(await ask('d', ['v:1'], 21)).toBe('too_many_instruments')
    expect(
      await ask(
        'e',
        Array.from({ length: 51 }, (_, count) => `*${count}`),
      ),
    ).toBe('too_many_instruments')
    peer.subscribe({ ...candles, id: 'b' })
    await peer.until('the refusal', () =>
      peer.of('error').some(({ code }) => code === 'subscription_exists'),
    )
  })

  // The notice had the code of a refused subscription, so that clients took it for the end of one that went on.
  it('hears of the first new instrument that its pattern fits and its limit does not', async () => {
    await using bed = await StreamBed.open({ limits: { instruments: 2 } })
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ ...candles, instruments: ['v:*'] })
    await peer.message('snapshot')
    for (const name of ['v:1', 'v:2', 'v:3', 'v:4', 'v:1']) {
      bed.view.tellCandles({ instrumentId: name, windowStart: 0, close: 1, final: true })
    }
    await peer.until('three candles', () => peer.of('candle').length === 3)
    expect(peer.of('candle').map(({ candle }) => candle.instrumentId)).toEqual([
      'v:1',
      'v:2',
      'v:1',
    ])
    expect(peer.of('error')).toMatchObject([{ id: 'a', code: 'instrument_not_followed' }])
    expect(peer.of('error')[0]?.message).toContain('v:3')
  })
})

describe('connections', () => {
  it('that answer no ping are closed', async () => {
    await using bed = await StreamBed.open({ heartbeatMs: 20, pongDeadlineMs: 100 })
    using silent = await Peer.connect(bed.url, { autoPong: false })
    expect(await silent.closing()).toMatchObject({ code: 4408 })
  })

  it.each(['address', 'key'] as const)(
    'beyond the limit of one %s are closed, until another ends',
    async (kind) => {
      await using bed = await StreamBed.open({
        limits: kind === 'address' ? { connectionsPerAddress: 2 } : { connectionsPerCaller: 2 },
      })
      let count = 0
      bed.door.answer = () => {
        count += 1
        const caller =
          kind === 'address' ? anybody : { ...anybody, kind, name: 'k', address: `10.0.0.${count}` }
        return { admitted: true, caller, headers: {} }
      }
      using first = await Peer.connect(bed.url)
      using second = await Peer.connect(bed.url)
      await second.message('welcome')
      using third = await Peer.connect(bed.url)
      expect(await third.closing()).toMatchObject({ code: 4429 })
      first.socket.close()
      await bed.closedFor('byClient')
      using fourth = await Peer.connect(bed.url)
      await fourth.message('welcome')
    },
  )

  it('end with the key or token that they were made with', async () => {
    await using bed = await StreamBed.open()
    const expiresAt = Date.now() + 300
    bed.door.answer = () => ({ admitted: true, caller: { ...anybody, expiresAt }, headers: {} })
    using expiring = await Peer.connect(bed.url)
    expect(await expiring.closing()).toMatchObject({ code: 4401 })
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)

    bed.door.answer = () => ({ admitted: true, caller: anybody, headers: {} })
    using revoked = await Peer.connect(bed.url)
    await revoked.message('welcome')
    bed.door.standing = 'ended'
    expect(await revoked.closing()).toMatchObject({ code: 4401 })
  })
})

// When the database had been away for longer than the copy of its keys counts, nobody knew whether a key was
// good, and its streams were closed as if it was not: a client takes 4401 for the end and does not come again.
it('of a key that nobody can tell about a connection is closed with a code that says: come again', async () => {
  await using bed = await StreamBed.open()
  using peer = await Peer.connect(bed.url)
  await peer.message('welcome')
  bed.door.standing = 'unknowable'
  expect(await peer.closing()).toMatchObject({ code: 4503 })
  await bed.closedFor('unknowable')
})

// Connections were counted by the full address, of which whoever has one IPv6 network has 2^64.
it('from addresses of one IPv6 network connections count together', async () => {
  await using bed = await StreamBed.open({ limits: { connectionsPerAddress: 1 } })
  const from = (address: string) => {
    bed.door.answer = () => ({ admitted: true, caller: { ...anybody, address }, headers: {} })
  }
  from('2001:db8:0:1::1')
  using first = await Peer.connect(bed.url)
  await first.message('welcome')
  from('2001:db8:0:1:ffff::2')
  using second = await Peer.connect(bed.url)
  expect(await second.closing()).toMatchObject({ code: 4429 })
  from('2001:db8:0:2::1')
  using other = await Peer.connect(bed.url)
  await other.message('welcome')
  first.socket.close()
  await bed.closedFor('byClient')
  from('2001:db8:0:1::3')
  using next = await Peer.connect(bed.url)
  await next.message('welcome')
})

describe('a handshake', () => {
  it('that is refused is answered by a problem document, and a page by a close code', async () => {
    await using bed = await StreamBed.open()
    bed.door.answer = () => ({
      admitted: false,
      refusal: {
        status: 401,
        code: 'unauthenticated',
        detail: 'Send a key',
        headers: { 'WWW-Authenticate': 'Bearer' },
      },
    })
    const answer = await upgradeAnswer(bed.url)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'www-authenticate': 'Bearer',
    })
    expect(answer.document).toMatchObject({
      status: 401,
      code: 'unauthenticated',
      detail: 'Send a key',
    })
    using page = await Peer.connect(bed.url, { origin: 'http://localhost' })
    expect(await page.closing()).toEqual({ code: 4401, reason: 'Send a key' })
    expect(page.messages).toEqual([])
  })

  it('of a caller that may not read is refused, and others have the headers of their admission', async () => {
    await using bed = await StreamBed.open()
    bed.door.answer = () => ({ admitted: true, caller: { ...anybody, scopes: [] }, headers: {} })
    const answer = await upgradeAnswer(bed.url)
    expect(answer).toMatchObject({ status: 403, document: { code: 'forbidden' } })
    const headers = { RateLimit: '"requests";r=5;t=6' }
    bed.door.answer = () => ({ admitted: true, caller: anybody, headers })
    const upgrade = request(bed.url.replace('ws:', 'http:'), { headers: upgradeHeaders })
    const upgraded = Promise.withResolvers<IncomingMessage>()
    upgrade.on('upgrade', (response, socket) => {
      socket.destroy()
      upgraded.resolve(response)
    })
    upgrade.end()
    expect((await upgraded.promise).headers).toMatchObject({ ratelimit: headers.RateLimit })
  })

  it('of another path, of one connection too many, and of a doorkeeper that does not answer are refused', async () => {
    await using bed = await StreamBed.open({ limits: { connections: 1 }, handshakeMs: 50 })
    expect(await upgradeAnswer(bed.url.replace('stream', 'streams'))).toMatchObject({ status: 404 })
    bed.door.answer = () => new Promise(() => undefined)
    expect(await upgradeAnswer(bed.url)).toMatchObject({ status: 503 })
    bed.door.answer = () => ({ admitted: true, caller: anybody, headers: {} })
    using only = await Peer.connect(bed.url)
    await only.message('welcome')
    expect(await upgradeAnswer(bed.url)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
    })
  })

  it('whose connection breaks off while it is decided leaves nothing behind', async () => {
    await using bed = await StreamBed.open()
    const asked = Promise.withResolvers<void>()
    const decided = Promise.withResolvers<void>()
    bed.door.answer = async () => {
      asked.resolve()
      await decided.promise
      return { admitted: true, caller: anybody, headers: {} }
    }
    const upgrade = request(bed.url.replace('ws:', 'http:'), { headers: upgradeHeaders })
    upgrade.on('error', () => undefined)
    upgrade.end()
    await asked.promise
    upgrade.destroy()
    decided.resolve()
    bed.door.answer = () => ({ admitted: true, caller: anybody, headers: {} })
    using peer = await Peer.connect(bed.url)
    await peer.message('welcome')
    expect(bed.stream.clients).toBe(1)
  })
})

const upgradeHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** The answer to an upgrade that is not made. */
async function upgradeAnswer(url: string) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const upgrade = request(url.replace('ws:', 'http:'), { headers: upgradeHeaders })
    upgrade.on('response', resolve)
    upgrade.on('upgrade', () => reject(new Error('The upgrade was made')))
    upgrade.on('error', reject)
    upgrade.end()
  })
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  const document: unknown = JSON.parse(body)
  return { status: answer.statusCode, headers: answer.headers, document }
}
