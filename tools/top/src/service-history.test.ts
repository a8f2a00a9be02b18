import { expect, it } from 'vitest'

import { rate } from './measure.ts'
import { ServiceHistory } from './service-history.ts'

const readiness = { ready: true, reasons: [] }

function answer(trades: number, startedAt = 1) {
  const metrics = `process_start_time_seconds ${startedAt}\ntrades_total ${trades}`
  return { metrics, readiness }
}

function tradeRate(history: ServiceHistory, trades: number, at: number, startedAt = 1) {
  const standing = history.add(answer(trades, startedAt), at)
  return standing.state === 'up' ? rate(standing.span, 'trades_total') : undefined
}

it('rates are over the last ten seconds', () => {
  const history = new ServiceHistory()
  expect(tradeRate(history, 0, 0)).toBeUndefined()
  expect(tradeRate(history, 100, 1_000)).toBe(100)
  expect(tradeRate(history, 100, 10_000)).toBe(10)
  expect(tradeRate(history, 100, 11_000)).toBe(0)
})

it('a process that was started anew has no rate yet', () => {
  const history = new ServiceHistory()
  tradeRate(history, 1_000, 0)
  expect(tradeRate(history, 10, 1_000, 2)).toBeUndefined()
  expect(tradeRate(history, 30, 2_000, 2)).toBe(20)
})

it('a service that was down begins again', () => {
  const history = new ServiceHistory()
  tradeRate(history, 1_000, 0)
  expect(history.add({ unreachable: 'refused' }, 1_000)).toEqual({
    state: 'down',
    reason: 'refused',
  })
  expect(tradeRate(history, 1_010, 2_000)).toBeUndefined()
})
