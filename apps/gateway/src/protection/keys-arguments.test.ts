import { describe, expect, it } from 'vitest'

import { newApiKey } from './api-key.ts'
import { KeysProblem, parseKeysArguments } from './keys-arguments.ts'

const now = Date.UTC(2026, 0, 1)

function parse(...args: string[]) {
  return parseKeysArguments(args, now)
}

describe('the command for keys', () => {
  it('makes one that does not end unless that is said', () => {
    expect(parse('create', '--name', 'charts', '--scope', 'read')).toEqual({
      verb: 'create',
      name: 'charts',
      scopes: ['read'],
      expiresAt: null,
    })
  })

  it('takes the end as a time or in days', () => {
    const create = ['create', '--name', 'charts', '--scope', 'admin', '--expires']
    const expected = { scopes: ['read', 'admin'], expiresAt: Date.UTC(2026, 0, 31) }
    expect(parse(...create, '30d')).toMatchObject(expected)
    expect(parse(...create, '2026-01-31T00:00:00Z')).toMatchObject(expected)
  })

  it('lists, and revokes by the id or by the whole key', () => {
    const { keyId, text } = newApiKey()
    expect(parse('list')).toEqual({ verb: 'list' })
    expect(parse('revoke', keyId)).toEqual({ verb: 'revoke', keyId })
    expect(parse('revoke', text)).toEqual({ verb: 'revoke', keyId })
  })

  it.each([
    [[]],
    [['delete', 'abc']],
    [['list', 'abc']],
    [['revoke']],
    [['revoke', 'a', 'b']],
    [['revoke', 'a', '--name', 'b']],
    [['create', '--name', 'charts']],
    [['create', '--name', '  ', '--scope', 'read']],
    [['create', '--name', 'charts', '--scope', 'write']],
    [['create', '--name', 'charts', '--scope', 'read', '--expires', 'tomorrow']],
    [['create', '--name', 'charts', '--scope', 'read', '--expires', '2025-12-31T00:00:00Z']],
    [['create', '--name', 'charts', '--scope', 'read', '--for', 'ever']],
  ])('says how it is used instead of guessing: %j', (args) => {
    expect(() => parse(...args)).toThrow(KeysProblem)
  })
})
