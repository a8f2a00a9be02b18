import { describe, expect, it } from 'vitest'

import { MarketStoreError } from './errors.ts'
import {
  isDataError,
  isMissingPartition,
  isOutage,
  isTableError,
  isUniqueViolation,
} from './failures.ts'

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
    ['too many connections', failure('sorry, too many clients already', '53300')],
    ['a lock that was not to be had', failure('lock timeout', '55P03')],
    ['a serialization failure', failure('could not serialize access', '40001')],
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

const kinds = { isOutage, isDataError, isTableError, isUniqueViolation, isMissingPartition }

describe('what a failure is of', () => {
  it.each<[string, unknown, readonly (keyof typeof kinds)[]]>([
    ['a value out of range', failure('', '22003'), ['isDataError']],
    ['a zero byte', failure('invalid byte sequence', '22021'), ['isDataError']],
    [
      'a null in a column that somebody has added',
      Object.assign(failure('violates not-null constraint', '23502'), { column: 'desk' }),
      ['isTableError'],
    ],
    [
      'a null in a column of ours, where somebody wants none',
      Object.assign(failure('violates not-null constraint', '23502'), { column: 'index_price' }),
      ['isDataError'],
    ],
    ['a key too long for the index', failure('index row size exceeds', '54000'), ['isDataError']],
    ['a key that is there', failure('', '23505'), ['isDataError', 'isUniqueViolation']],
    [
      'a check of the table',
      Object.assign(failure('violates check constraint', '23514'), { constraint: 'positive' }),
      ['isDataError'],
    ],
    [
      'a day without partition',
      failure('no partition of relation "trades" found for row', '23514'),
      ['isTableError', 'isMissingPartition'],
    ],
    ['a number no column takes', new MarketStoreError('not_storable', ''), ['isDataError']],
    ['a missing table', failure('', '42P01'), ['isTableError']],
    [
      // A column that somebody has altered to another type refuses the bytes of every row: as an error of data it
      // would turn all of them away.
      'bytes of a COPY that are not of the column’s type',
      failure('incorrect binary data format', '22P03'),
      ['isTableError'],
    ],
    [
      'rows of a COPY with too few columns',
      failure('row field count is 1', '22P04'),
      ['isTableError'],
    ],
    ['a text that is no JSON', failure('invalid input syntax', '22P02'), ['isDataError']],
    ['a missing permission', failure('permission denied', '42501'), ['isTableError']],
    ['a missing schema', failure('', '3F000'), ['isTableError']],
    ['what PostgreSQL has not', failure('', '0A000'), ['isTableError']],
    ['a broken pipe', failure('write EPIPE', 'EPIPE'), ['isOutage']],
    ['a full disk', failure('No space left on device', '53100'), ['isOutage']],
    ['a defect of ours', new TypeError('x is not a function'), []],
    ['no error at all', undefined, []],
  ])('%s', (_, error, expected) => {
    const found = Object.entries(kinds).flatMap(([name, is]) => (is(error) ? [name] : []))
    expect(found).toEqual(expected)
  })
})
