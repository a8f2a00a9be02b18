import { expect, it } from 'vitest'

import { VenueLimits, silenceOf } from './venue-limits.ts'

const never = new AbortController().signal
const plenty = { capacity: 1_000, refillPerSecond: 1_000 }
const now = Date.UTC(2026, 5, 1)

it.each([
  ['seconds', { status: 429, retryAfter: '7', body: '' }, 7_000],
  ['a part of a second', { status: 429, retryAfter: '0.5', body: '' }, 500],
  ['a date', { status: 503, retryAfter: new Date(now + 90_000).toUTCString(), body: '' }, 90_000],
  [
    'a date that is over',
    { status: 429, retryAfter: 'Mon, 01 Jan 2024 00:00:00 GMT', body: '' },
    0,
  ],
  ['nothing', { status: 429, retryAfter: null, body: '' }, 2_000],
  ['no time at all', { status: 429, retryAfter: 'soon', body: '' }, 2_000],
  ['nothing, as a firewall', { status: 403, retryAfter: null, body: '' }, 60_000],
  ['nothing, as a ban', { status: 418, retryAfter: null, body: '' }, 120_000],
  [
    "a ban's end, later than its header",
    {
      status: 418,
      retryAfter: '10',
      body: `{"code":-1003,"msg":"IP banned until ${now + 300_000}. Please use WebSocket"}`,
    },
    300_000,
  ],
  ['a year', { status: 429, retryAfter: String(365 * 86_400), body: '' }, 3 * 86_400_000],
])('a venue that tells %s', (_told, notice, silenceMs) => {
  expect(silenceOf(notice, now)).toBe(silenceMs)
})

it('keeps all requests and connections back that are made while the venue wants silence', async () => {
  const limits = new VenueLimits({ budget: plenty })
  limits.said({ status: 429, retryAfter: '0.2', body: '' })
  const passed: string[] = []
  const waiting = [
    limits.beforeRequest(1, never).then(() => passed.push('first request')),
    limits.beforeRequest(1, never).then(() => passed.push('second request')),
    limits.beforeConnect(never).then(() => passed.push('connection')),
  ]
  await new Promise((resolve) => setImmediate(resolve))
  expect(passed).toEqual([])
  await Promise.all(waiting)
  expect(limits.silentForMs).toBe(0)
  expect(passed.indexOf('first request')).toBeLessThan(passed.indexOf('second request'))
})

it('goes on waiting when the venue asks again meanwhile', async () => {
  const silences: number[] = []
  const limits = new VenueLimits({
    budget: plenty,
    onSilence: (_notice, until) => silences.push(until),
  })
  limits.said({ status: 429, retryAfter: '0.05', body: '' })
  const passing = limits.beforeRequest(1, never)
  limits.said({ status: 429, retryAfter: '0.2', body: '' })
  limits.said({ status: 429, retryAfter: '0.1', body: '' })
  await passing
  expect(limits.silentForMs).toBe(0)
  // The one that is over sooner than another adds nothing.
  expect(silences).toHaveLength(2)
})

it('has nothing saved up after a notice', async () => {
  const limits = new VenueLimits({ budget: { capacity: 100, refillPerSecond: 100 } })
  limits.said({ status: 429, retryAfter: '0', body: '' })
  const from = performance.now()
  await limits.beforeRequest(10, never)
  expect(performance.now() - from).toBeGreaterThanOrEqual(80)
})

it('who gives up does not keep the others waiting', async () => {
  const limits = new VenueLimits({ budget: { capacity: 1, refillPerSecond: 20 } })
  const stop = new AbortController()
  await limits.beforeRequest(1, never)
  const first = limits.beforeRequest(1, stop.signal)
  const second = limits.beforeRequest(1, stop.signal)
  const third = limits.beforeRequest(1, never)
  stop.abort(new Error('told to stop'))
  await expect(first).rejects.toThrow('abort')
  await expect(second).rejects.toThrow('told to stop')
  await third
})
