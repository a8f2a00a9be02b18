import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import type { Bench, BenchOptions } from './bench-frame.ts'

const defaultRuns = 3

export interface BenchRequest {
  readonly bench: Bench
  readonly options: BenchOptions
}

/**
 * Reads the command line.
 *
 * @throws Error whose message says what can be asked for.
 */
export function readRequest(args: readonly string[], benches: readonly Bench[]): BenchRequest {
  const { values, positionals } = parse(args, benches)
  const [name, ...rest] = positionals
  const bench = benches.find((candidate) => candidate.name === name)
  const { only, runs = String(defaultRuns), 'cpu-prof': cpuProf } = values
  const parts = bench?.parts ?? []
  const known =
    (only === undefined || parts.includes(only)) && (cpuProf === undefined || parts.length > 0)
  if (bench === undefined || rest.length > 0 || !known || !/^[1-9]\d*$/.test(runs)) {
    throw new Error(usage(benches))
  }
  return {
    bench,
    options: {
      runs: Number(runs),
      only,
      cpuProf: cpuProf === undefined ? undefined : resolve(cpuProf),
    },
  }
}

function parse(args: readonly string[], benches: readonly Bench[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        runs: { type: 'string' },
        'cpu-prof': { type: 'string' },
      },
    })
  } catch (error) {
    throw new Error(usage(benches), { cause: error })
  }
}

function usage(benches: readonly Bench[]): string {
  const lines = benches.map(({ name, parts }) =>
    parts === undefined
      ? `  ${name} [--runs <n>]`
      : `  ${name} [--runs <n>] [--only ${parts.join('|')}] [--cpu-prof <folder>]`,
  )
  return `Name one bench: npm run bench --\n${lines.join('\n')}
  --runs      how often it is measured (${defaultRuns}); figures are the medians
  --only      one part of it
  --cpu-prof  a folder for CPU profiles of the service, which slow it down`
}
