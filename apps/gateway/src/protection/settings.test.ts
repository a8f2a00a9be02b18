import { SettingsError, readSettings } from '@tickertape/service-runtime'
import { describe, expect, it } from 'vitest'

import { protectionSettings, readProtectionConfig } from './settings.ts'

function read(environment: Record<string, string>, host = '127.0.0.1') {
  return readProtectionConfig(readSettings(protectionSettings, 'GATEWAY_', environment), host)
}

const tokens = {
  GATEWAY_AUTHENTICATION: 'tokens',
  GATEWAY_JWKS_URL: 'https://id.example/jwks',
  GATEWAY_JWT_ISSUER: 'https://id.example/',
  GATEWAY_JWT_AUDIENCE: 'tickertape',
}

describe('without authentication', () => {
  it('this machine may do everything', () => {
    expect(read({})).toMatchObject({
      anonymousScopes: ['read', 'admin'],
      requiresLoopbackName: true,
    })
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'gateway.internal'])(
    'the gateway does not listen on %s, and says what to set',
    (host) => {
      expect(() => read({}, host)).toThrow(SettingsError)
      expect(() => read({}, host)).toThrow(
        /GATEWAY_HOST .* set GATEWAY_AUTHENTICATION to keys .* or GATEWAY_ANONYMOUS=read .* or GATEWAY_HOST=127\.0\.0\.1/,
      )
    },
  )

  it('everybody may read where that is said', () => {
    expect(read({ GATEWAY_ANONYMOUS: 'read' }, '0.0.0.0')).toMatchObject({
      anonymousScopes: ['read'],
      requiresLoopbackName: false,
    })
  })

  it('nobody may do anything: that is a mistake', () => {
    expect(() => read({ GATEWAY_ANONYMOUS: 'none' })).toThrow(/lets nobody in/)
  })
})

describe('with authentication', () => {
  it('any interface may be listened on, and nobody comes in without', () => {
    expect(read({ GATEWAY_AUTHENTICATION: 'keys' }, '0.0.0.0')).toMatchObject({
      anonymousScopes: [],
      requiresLoopbackName: false,
      tokens: undefined,
    })
    expect(read(tokens, '0.0.0.0').tokens?.algorithms).toContain('ES256')
  })

  it('everybody may read all the same where that is said', () => {
    const environment = { GATEWAY_AUTHENTICATION: 'keys', GATEWAY_ANONYMOUS: 'read' }
    expect(read(environment).anonymousScopes).toEqual(['read'])
  })

  it('by tokens asks for what they are checked by', () => {
    expect(() => read({ GATEWAY_AUTHENTICATION: 'tokens' })).toThrow(
      /GATEWAY_JWKS_URL must be set.*GATEWAY_JWT_ISSUER must be set.*GATEWAY_JWT_AUDIENCE must be set/s,
    )
  })

  it('settings of tokens are not left unused', () => {
    const { GATEWAY_AUTHENTICATION: _, ...rest } = tokens
    expect(() => read({ ...rest, GATEWAY_AUTHENTICATION: 'keys' })).toThrow(
      /GATEWAY_JWKS_URL is set, but GATEWAY_AUTHENTICATION does not list tokens/,
    )
  })

  it.each(['HS256', 'none', 'RS256,HS512', ''])('tokens are not signed by %j', (algorithms) => {
    const environment = { ...tokens, GATEWAY_JWT_ALGORITHMS: algorithms }
    expect(() => read(environment)).toThrow(/GATEWAY_JWT_ALGORITHMS must list some of RS256/)
  })

  it('the key set comes by TLS, or from this machine', () => {
    const from = (url: string) => read({ ...tokens, GATEWAY_JWKS_URL: url })
    expect(() => from('http://id.example/jwks')).toThrow(/GATEWAY_JWKS_URL must begin with https/)
    expect(() => from('https://a:secret@id.example/jwks')).toThrow(
      /GATEWAY_JWKS_URL must be without a user and password.*a:\*\*\*@id\.example/,
    )
    expect(from('http://127.0.0.1:3000/jwks').tokens?.jwksUrl).toBe('http://127.0.0.1:3000/jwks')
    expect(from('http://[::1]:3000/jwks').tokens?.jwksUrl).toBe('http://[::1]:3000/jwks')
  })
})

it('what is wrong is told all at once', () => {
  const environment = {
    GATEWAY_AUTHENTICATION: 'passwords',
    GATEWAY_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example',
    GATEWAY_ALLOWED_ORIGINS: 'https://charts.example/',
    GATEWAY_TLS_CERT_FILE: '/etc/tls/cert.pem',
  }
  expect(() => read(environment)).toThrow(
    /must list some of keys, tokens, got "passwords".*got "proxy\.example".*got "https:\/\/charts\.example\/".*must be set together/s,
  )
})

it.each([
  'charts.example',
  'https://charts.example:443',
  'ftp://charts.example',
  '*,https://a.example',
])('an origin is not %s', (origins) => {
  expect(() => read({ GATEWAY_ALLOWED_ORIGINS: origins })).toThrow(/GATEWAY_ALLOWED_ORIGINS/)
})
