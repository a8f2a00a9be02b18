import { describe, expect, it } from 'vitest'

import { isOutage } from './outage.ts'

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}

describe('what passes by itself', () => {
  it.each([
    ['a server that shuts down', failure('terminating connection', '57P01')],
    ['a server that starts', failure('the database system is starting up', '57P03')],
    ['a full disk', failure('could not extend file', '53100')],
    ['a deadlock', failure('deadlock detected', '40P01')],
    ['a primary that became a replica', failure('read-only transaction', '25006')],
    ['no server', failure('connect ECONNREFUSED', 'ECONNREFUSED')],
    ['no server on any address', new AggregateError([failure('', 'ECONNREFUSED')])],
    ['a broken connection', failure('Connection terminated unexpectedly')],
    ['a server that does not answer', failure('Query read timeout')],
  ])('%s', (_, error) => {
    expect(isOutage(error)).toBe(true)
  })
})

describe('what does not', () => {
  it.each([
    ['a missing table', failure('relation "trades" does not exist', '42P01')],
    ['a value out of range', failure('numeric field overflow', '22003')],
    ['a wrong password', failure('password authentication failed', '28P01')],
    ['a defect of ours', new TypeError('x is not a function')],
  ])('%s', (_, error) => {
    expect(isOutage(error)).toBe(false)
  })
})
