import { expect, it } from 'vitest'

import { cpuSecondsOf, peakRssMbOf, rssMbOf } from './process-usage.ts'

it('CPU time is user and system time, whatever the process is called', () => {
  const stat =
    '8100 (node (a) b) S 1 8100 8100 0 -1 4194304 90 0 0 0 1234 66 7 8 20 0 11 0 1271404 1 2'
  expect(cpuSecondsOf(stat)).toBe(13)
})

it('resident memory and its peak are in units of 1024 bytes', () => {
  const status = 'Name:\tnode\nVmPeak:\t  9000 kB\nVmHWM:\t  500000 kB\nVmRSS:\t  400000 kB\n'
  expect(peakRssMbOf(status)).toBe(512)
  expect(rssMbOf(status)).toBe(409.6)
})
