import { describe, expect, it } from 'vitest'

import { retrying } from './retry.ts'

function attempts(outcomes: readonly ('passes' | 'fails for good' | 'succeeds')[]) {
  const waits: number[] = []
  let at = 0
  const stopping = new AbortController()
  const done = retrying(
    async () => {
      const outcome = outcomes[at]
      at += 1
      if (outcome !== 'succeeds') throw new Error(outcome ?? 'no more attempts expected')
      return at
    },
    { firstMs: 1, maxMs: 4, signal: stopping.signal },
    {
      isPassing: (error) => error instanceof Error && error.message === 'passes',
      onFailure: (_, retryInMs) => waits.push(retryInMs),
      onSuccess: () => undefined,
    },
  )
  return { done, waits, stopping }
}

describe('retrying', () => {
  it('goes on until it succeeds, with waits that double up to the longest', async () => {
    const { done, waits } = attempts(['passes', 'passes', 'passes', 'passes', 'succeeds'])
    expect(await done).toBe(5)
    expect(waits).toEqual([1, 2, 4, 4])
  })

  it('a fault that will not pass is thrown at once', async () => {
    const { done, waits } = attempts(['passes', 'fails for good'])
    await expect(done).rejects.toThrow('fails for good')
    expect(waits).toEqual([1])
  })

  it('stops waiting when it is told to, with the reason of that', async () => {
    const { done, stopping } = attempts(['passes'])
    stopping.abort(new Error('told to stop'))
    await expect(done).rejects.toThrow('told to stop')
  })
})
