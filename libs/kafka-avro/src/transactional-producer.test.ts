import { describe, expect, it } from 'vitest'

import { openFailure, stepFailure } from './transactional-producer.ts'

const options = {
  connection: { brokers: 'kafka:9092' },
  clientId: 'test',
  transactionalId: 'candles-0',
}

function refusal(code: number, isFatal = false): Error {
  return Object.assign(new Error('the reason'), { code, isFatal })
}

describe('a start of transactions that fails', () => {
  // A principal without the permission was told to look whether Kafka runs, for ever.
  it.each([53, 31])('says by code %i that the principal may not use the id', (code) => {
    const failure = openFailure(options, refusal(code, true))
    expect(failure.code).toBe('transactions_refused')
    expect(failure.message).toContain(
      'does not let this principal use the transactional id candles-0',
    )
  })

  it('is no matter of waiting if it is fatal', () => {
    expect(openFailure(options, refusal(35, true)).code).toBe('transactions_refused')
  })

  it('is tried again otherwise', () => {
    expect(openFailure(options, refusal(-185)).code).toBe('broker_unreachable')
  })
})

describe('a step of a transaction that fails', () => {
  // A commit that timed out was said not to count; the broker may have taken it.
  it('leaves open whether a commit counts', () => {
    const { code, message } = stepFailure('commit', new Error('timed out'))
    expect(code).toBe('transaction_failed')
    expect(message).toContain('not known')
    expect(message).not.toContain('nothing of it counts')
  })

  it('says of all others that nothing counts', () => {
    expect(stepFailure('send offsets', new Error('gone')).message).toContain('nothing of it counts')
  })
})
