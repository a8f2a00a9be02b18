import { expect, it } from 'vitest'

import { AppendProbe } from './append-probe.ts'

it('one frame at a time is measured, to the acknowledgement of its records', async () => {
  const acknowledgements: PromiseWithResolvers<void>[] = []
  const told: number[] = []
  const acknowledged = async (): Promise<void> => {
    const waiting = Promise.withResolvers<void>()
    acknowledgements.push(waiting)
    await waiting.promise
  }
  const probe = new AppendProbe({ acknowledged }, { appended: (seconds) => told.push(seconds) })
  const hourAgo = Date.now() - 3_600_000
  probe.frameWritten(hourAgo)
  probe.frameWritten(hourAgo)
  expect([acknowledgements.length, told]).toEqual([1, []])
  acknowledgements[0]?.resolve()
  await expect.poll(() => told.length).toBe(1)
  expect(told[0]).toBeGreaterThanOrEqual(3_600)
  probe.frameWritten(hourAgo)
  expect(acknowledgements).toHaveLength(2)
})

it('a producer that fails ends the measurement, and nothing else', async () => {
  const told: number[] = []
  const acknowledged = (): Promise<void> => Promise.reject(new Error('fenced'))
  const probe = new AppendProbe({ acknowledged }, { appended: (seconds) => told.push(seconds) })
  probe.frameWritten(0)
  await Promise.resolve()
  expect(told).toEqual([])
})
