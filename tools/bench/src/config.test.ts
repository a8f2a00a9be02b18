import { expect, it } from 'vitest'

import { readRequest } from './config.ts'

const prepare = () => Promise.reject(new Error('not run here'))
const benches = [
  { name: 'road', about: '', prepare },
  { name: 'aggregator', about: '', parts: ['throughput', 'latency'], prepare },
]

it('a bench is measured three times, all parts of it, without profiles', () => {
  expect(readRequest(['road'], benches)).toEqual({
    bench: benches[0],
    options: { runs: 3, only: undefined, cpuProf: undefined },
  })
})

it('a folder for profiles may be relative', () => {
  const { options } = readRequest(
    ['aggregator', '--runs', '1', '--only', 'latency', '--cpu-prof', 'profiles'],
    benches,
  )
  expect(options.runs).toBe(1)
  expect(options.only).toBe('latency')
  expect(options.cpuProf).toMatch(/^\/.*\/profiles$/)
})

it.each([
  [[]],
  [['sink']],
  [['road', 'aggregator']],
  [['aggregator', '--only', 'everything']],
  [['road', '--only', 'latency']],
  [['road', '--cpu-prof', 'profiles']],
  [['aggregator', '--runs', '0']],
  [['aggregator', '--fast']],
])('%j is answered with what can be asked for', (args) => {
  expect(() => readRequest(args, benches)).toThrow(
    'aggregator [--runs <n>] [--only throughput|latency] [--cpu-prof <folder>]',
  )
})
