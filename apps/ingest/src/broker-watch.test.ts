import { Readiness } from '@tickertape/service-runtime'
import { expect, it, onTestFinished, vi } from 'vitest'

import { watchBroker } from './broker-watch.ts'

it('says in readiness that Kafka takes nothing, until it takes what waited', async () => {
  const stop = new AbortController()
  const readiness = new Readiness()
  const waiting = Promise.withResolvers<void>()
  let silent = ''
  const back = vi.fn<() => void>()
  const watching = watchBroker(
    {
      log: { inFlight: 7, acknowledged: () => waiting.promise },
      readiness,
      events: { brokerSilent: (message) => (silent = message), brokerBack: back },
      patienceMs: 1,
      everyMs: 1,
    },
    stop.signal,
  )
  onTestFinished(async () => {
    stop.abort()
    await expect(watching).rejects.toThrow('abort')
  })
  await vi.waitUntil(() => readiness.reasons.length > 0)
  expect(readiness.reasons).toEqual([{ subject: 'broker', reason: silent }])
  expect(silent).toBe('Kafka has taken no record for 1 ms: 7 wait')
  waiting.resolve()
  await vi.waitUntil(() => readiness.reasons.length === 0)
  expect(back).toHaveBeenCalled()
})

it('ends with the failure of a producer that can no longer deliver', async () => {
  const watching = watchBroker(
    {
      log: { inFlight: 1, acknowledged: () => Promise.reject(new Error('fenced')) },
      readiness: new Readiness(),
      events: { brokerSilent: () => undefined, brokerBack: () => undefined },
      patienceMs: 1_000,
      everyMs: 1,
    },
    new AbortController().signal,
  )
  await expect(watching).rejects.toThrow('fenced')
})
