import type { IncomingMessage } from 'node:http'

import { describe, expect, it } from 'vitest'

import { addressKey, addressList, clientAddress, isLoopbackHost } from './client-address.ts'

function refuse(entry: string): never {
  throw new Error(entry)
}

function request(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  // All that is looked at of a request.
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage
}

describe('the address of a client', () => {
  const trusted = addressList(['10.0.0.0/8', 'fd00::/8'], refuse)

  it.each([
    ['the peer, if no proxy is trusted', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['what a trusted proxy has heard', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['the last that is not trusted', '10.0.0.1', '198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['never what a client made up', '10.0.0.1', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['the proxy, if it names nobody', '10.0.0.1', undefined, '10.0.0.1'],
    ['the proxy, if it names what is no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an IPv4 peer of a socket for both', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['IPv6', 'fd00::1', '2001:db8::1', '2001:db8::1'],
    ['without the port', '10.0.0.1', '198.51.100.7:51234', '198.51.100.7'],
    ['IPv6 without the port', '10.0.0.1', '[2001:db8::1]:51234', '2001:db8::1'],
  ])('is %s', (_what, peer, forwarded, expected) => {
    expect(clientAddress(request(peer, forwarded), trusted)).toBe(expected)
  })

  it('is the peer where nobody is trusted, whatever is written', () => {
    const nobody = addressList([], refuse)
    expect(clientAddress(request('127.0.0.1', '198.51.100.7'), nobody)).toBe('127.0.0.1')
  })
})

it.each(['10.0.0.0/33', '10.0.0', 'proxy.example', '::/129', '', '10.0.0.0/'])(
  'a network is not %j',
  (entry) => {
    const problems: string[] = []
    addressList([entry], (problem) => problems.push(problem))
    expect(problems).toEqual([entry])
  },
)

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key)
})

it.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['localhost', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.1', false],
  ['gateway.internal', false],
])('%s is of this machine alone: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected)
})
