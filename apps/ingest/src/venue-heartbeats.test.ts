import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ConnectionLost } from './feed.ts'
import { VenueHeartbeats } from './venue-heartbeats.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function listen() {
  const silent: string[] = []
  const closed = Promise.withResolvers<string>()
  const heartbeats = new VenueHeartbeats({
    patienceMs: 1_000,
    onSilent: (sources) => silent.push(...sources),
  })
  heartbeats.expect(['BTC-USD', 'ETH-USD'])
  heartbeats.watch(closed.promise)
  return { closed, heartbeats, silent }
}

/** Why it fails; waited for from now on. */
async function reasonOf(time: Promise<number>): Promise<unknown> {
  return await time.catch((error: unknown) => error)
}

describe("the venue's time by heartbeats", () => {
  it('is the earliest of the next ones of all sources', async () => {
    const { heartbeats } = listen()
    heartbeats.heard('ETH-USD', 10)
    const time = heartbeats.next()
    heartbeats.heard('BTC-USD', 30)
    heartbeats.heard('BTC-USD', 40)
    heartbeats.heard('ETH-USD', 20)
    expect(await time).toBe(20)
  })

  it('does not wait for a source that is given up', async () => {
    const { heartbeats } = listen()
    const time = heartbeats.next()
    heartbeats.heard('BTC-USD', 30)
    heartbeats.forget(['ETH-USD'])
    expect(await time).toBe(30)
  })

  it('does not wait for ever for a source that never told any', async () => {
    const { heartbeats, silent } = listen()
    const time = heartbeats.next()
    heartbeats.heard('BTC-USD', 30)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(await time).toBe(30)
    expect(silent).toEqual(['ETH-USD'])
    const following = heartbeats.next()
    heartbeats.heard('BTC-USD', 50)
    expect(await following).toBe(50)
  })

  it('is no more when a source falls silent', async () => {
    const { heartbeats, silent } = listen()
    heartbeats.heard('ETH-USD', 10)
    const time = heartbeats.next()
    heartbeats.heard('BTC-USD', 30)
    const reason = reasonOf(time)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(String(await reason)).toContain('the venue sent no heartbeat of ETH-USD for 1000 ms')
    expect(silent).toEqual([])
  })

  it('is no more when nothing is heard at all', async () => {
    const { heartbeats } = listen()
    const reason = reasonOf(heartbeats.next())
    await vi.advanceTimersByTimeAsync(1_200)
    expect(await reason).toBeInstanceOf(ConnectionLost)
  })

  // Backpressure stops the socket: the venue's silence is ours then.
  it('is waited for as long as reading is stopped', async () => {
    const { heartbeats } = listen()
    const time = heartbeats.next()
    heartbeats.pause()
    await vi.advanceTimersByTimeAsync(60_000)
    heartbeats.resume()
    await vi.advanceTimersByTimeAsync(900)
    heartbeats.heard('BTC-USD', 30)
    heartbeats.heard('ETH-USD', 30)
    expect(await time).toBe(30)
  })

  it('ends with the connection', async () => {
    const { closed, heartbeats } = listen()
    const time = heartbeats.next()
    const reason = reasonOf(time)
    closed.resolve('closed by the venue with 1001')
    expect(String(await reason)).toContain('closed by the venue with 1001')
    await expect(heartbeats.next()).rejects.toBeInstanceOf(ConnectionLost)
    expect(vi.getTimerCount()).toBe(0)
  })
})
