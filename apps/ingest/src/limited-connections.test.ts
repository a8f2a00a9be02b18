import { expect, it } from 'vitest'

import { ConnectionLost } from './feed.ts'
import { withinLimits } from './limited-connections.ts'
import { ScriptedHistory } from './testing/scripted-history.ts'
import { ScriptedVenue } from './testing/scripted-venue.ts'
import { VenueLimits } from './venue-limits.ts'
import type { ConnectOptions, Venue } from './venue.ts'

function given(connect?: Venue['connect']) {
  const scripted = new ScriptedVenue(new ScriptedHistory({ last: 1 }))
  const limits = new VenueLimits({
    budget: { capacity: 1, refillPerSecond: 1 },
    connects: { capacity: 2, refillPerSecond: 10 },
  })
  const venue = { ...scripted.venue, ...(connect === undefined ? {} : { connect }) }
  const complaints: string[] = []
  // The scripted venue looks at nothing else.
  const options = {
    signal: new AbortController().signal,
    handlers: { venueError: (message: string) => complaints.push(message) },
  } as unknown as ConnectOptions
  return { scripted, limits, venue: withinLimits(venue, limits), options, complaints }
}

it('lets no more attempts through than the venue allows', async () => {
  const { venue, options } = given()
  const from = performance.now()
  for (let attempt = 0; attempt < 4; attempt += 1) (await venue.connect(options))[Symbol.dispose]()
  expect(performance.now() - from).toBeGreaterThanOrEqual(150)
})

it('a handshake that is answered with 429 is the beginning of a silence for all', async () => {
  const { venue, limits, options } = given(async () => {
    throw new ConnectionLost('refused', {
      refusal: { status: 429, retryAfter: '30', body: '' },
    })
  })
  await expect(venue.connect(options)).rejects.toThrow('refused')
  expect(limits.silentForMs).toBeGreaterThan(29_000)
})

it.each([
  'closed by the venue with 1008 Too many requests',
  'Deribit answered 10028 too_many_requests',
])('a connection that ends with "%s" as well', async (reason) => {
  const { scripted, venue, limits, options } = given()
  const connection = await venue.connect(options)
  scripted.cut(reason)
  await connection.closed
  expect(limits.silentForMs).toBeGreaterThan(0)
})

it('any other end asks for no silence', async () => {
  const { scripted, venue, limits, options } = given()
  const connection = await venue.connect(options)
  scripted.cut('closed by the venue with 1001 maintenance')
  await connection.closed
  expect(limits.silentForMs).toBe(0)
})

it("passes the venue's complaints on, and heeds those of too much", async () => {
  const { venue, limits, options, complaints } = given(async ({ handlers }) => {
    handlers.venueError('OKX answered 50011: Rate limit reached')
    throw new ConnectionLost('ended')
  })
  await expect(venue.connect(options)).rejects.toThrow('ended')
  expect(complaints).toEqual(['OKX answered 50011: Rate limit reached'])
  expect(limits.silentForMs).toBeGreaterThan(0)
})
