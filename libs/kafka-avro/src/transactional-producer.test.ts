import { describe, expect, it } from 'vitest'

import { stepFailure } from './transactional-producer.ts'

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
