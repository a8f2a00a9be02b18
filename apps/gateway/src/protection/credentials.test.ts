import { describe, expect, it } from 'vitest'

import { newApiKey } from './api-key.ts'
import { credentialOf } from './credentials.ts'

const { text, keyId } = newApiKey()
const secret = text.slice(`tt_${keyId}_`.length)
const key = { kind: 'key', keyId, secret }
const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'

function handshake(protocols: string) {
  return { upgrade: 'websocket', 'sec-websocket-protocol': protocols }
}

describe('a key or token', () => {
  it.each([
    ['Authorization', { authorization: `Bearer ${text}` }],
    ['Authorization in other letters', { authorization: `bearer  ${text}` }],
    ['X-API-Key', { 'x-api-key': text }],
    ['a subprotocol', handshake(`tickertape.v1, bearer.${text}`)],
    ['a header and a subprotocol alike', { ...handshake(`bearer.${text}`), 'x-api-key': text }],
  ])('is found in %s', (_where, headers) => {
    expect(credentialOf(headers)).toEqual(key)
  })

  it('may be a JWT wherever it may be an API key', () => {
    const token = { kind: 'token', token: jwt }
    expect(credentialOf({ authorization: `Bearer ${jwt}` })).toEqual(token)
    expect(credentialOf(handshake(`bearer.${jwt}, tickertape.v1`))).toEqual(token)
  })

  it('is none where no header has one', () => {
    expect(credentialOf({})).toEqual({ kind: 'none' })
    expect(credentialOf(handshake('tickertape.v1'))).toEqual({ kind: 'none' })
  })

  it('in a subprotocol counts on a handshake alone', () => {
    const headers = { 'sec-websocket-protocol': `bearer.${text}` }
    expect(credentialOf(headers)).toEqual({ kind: 'none' })
  })

  it.each([
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a secret that is cut', { 'x-api-key': text.slice(0, -1) }],
    ['a secret of other letters', { 'x-api-key': `${text.slice(0, -1)}!` }],
    ['a JWT without a signature', { authorization: `Bearer ${jwt.replace(/[^.]+$/, '')}` }],
    ['two different ones', { authorization: `Bearer ${jwt}`, 'x-api-key': text }],
  ])('is unreadable: %s', (_what, headers) => {
    expect(credentialOf(headers)).toMatchObject({ kind: 'unreadable' })
  })
})
