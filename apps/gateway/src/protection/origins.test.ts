import type { IncomingMessage } from 'node:http'

import { describe, expect, it } from 'vitest'

import { mayOpenStream, namesThisMachine } from './origins.ts'

function request(headers: Record<string, string>, encrypted = false): IncomingMessage {
  // All that is looked at of a request.
  return { headers, socket: { encrypted } } as unknown as IncomingMessage
}

describe('a WebSocket may be opened by', () => {
  it.each([
    ['what is no browser', { host: 'gateway.example' }],
    ['a page of the gateway', { host: 'localhost:8080', origin: 'http://localhost:8080' }],
    ['one behind a proxy with TLS', { host: 'gateway.example', origin: 'https://gateway.example' }],
    ['one whose port is told', { host: 'gateway.example:443', origin: 'https://gateway.example' }],
    ['a page of an allowed origin', { host: 'a.example', origin: 'https://charts.example' }],
  ])('%s', (_who, headers) => {
    expect(mayOpenStream(request(headers), ['https://charts.example'])).toBe(true)
  })

  it.each([
    ['a page of another site', { host: 'gateway.example', origin: 'https://evil.example' }],
    ['one of another port', { host: 'localhost:8080', origin: 'http://localhost:3000' }],
    [
      'one that only begins like it',
      { host: 'a.example', origin: 'https://a.example.evil.example' },
    ],
    ['an allowed host without TLS', { host: 'a.example', origin: 'http://charts.example' }],
    ['a page without an origin', { host: 'gateway.example', origin: 'null' }],
    ['a file', { host: 'gateway.example', origin: 'file://' }],
  ])('not by %s', (_who, headers) => {
    expect(mayOpenStream(request(headers), ['https://charts.example'])).toBe(false)
  })

  it('any page where that is set', () => {
    const headers = { host: 'gateway.example', origin: 'https://anyone.example' }
    expect(mayOpenStream(request(headers), ['*'])).toBe(true)
  })

  it('no page that came without TLS, where there is TLS', () => {
    const headers = { host: 'gateway.example', origin: 'http://gateway.example' }
    expect(mayOpenStream(request(headers, true), [])).toBe(false)
  })
})

describe('this machine', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'app.localhost:8080'])(
    'is %s',
    (host) => expect(namesThisMachine(request({ host }))).toBe(true),
  )

  // A page has its own name point to 127.0.0.1: what it then reads is of its own origin.
  it.each(['evil.example:8080', 'localhost.evil.example', '192.168.1.5', '', 'a b'])(
    'is not %j',
    (host) => expect(namesThisMachine(request({ host }))).toBe(false),
  )
})
