import { expect, it } from 'vitest'

import { fetchRateOf } from './consumer-perf.ts'

const header =
  'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec'

it('the limit is the rate of fetching, without the time to join the group', () => {
  const values =
    '2026-01-05 15:18:20:312, 2026-01-05 15:18:22:731, 247.2328, 102.2045, 2000127, 826840.4299, 466, 1953, 126.5913, 1024130.5684'
  expect(fetchRateOf(`${header}\n${values}\n`)).toBe(1_024_130.5684)
})

it('lines before the table are passed over', () => {
  const output = `WARN something, somewhere\n${header}\na, b, 1, 1, 1, 1, 1, 1, 1, 5\n`
  expect(fetchRateOf(output)).toBe(5)
})

it.each(['', header, `${header}\na, b, 0, 0, 0, 0, 0, 0, NaN, NaN`])(
  'output without a rate is refused: %j',
  (output) => {
    expect(() => fetchRateOf(output)).toThrow('gave no fetch.nMsg.sec')
  },
)
