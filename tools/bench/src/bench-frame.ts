import { mkdtempSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

import { startStack } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'

import { stackVersions } from './versions.ts'

/** Figures of one run, by name; the unit is the end of the name. */
export type Figures = Readonly<Record<string, number>>

export interface Bench {
  readonly name: string
  /** What is measured and how, in a sentence for the table. */
  readonly about: string
  /** What can be measured alone; a bench without parts takes no profiles either. */
  readonly parts?: readonly string[]
  /** Does what all runs share. @returns what measures once, and gives figures as they come. */
  prepare(
    stack: RunningStack,
    options: BenchOptions,
    print: (line: string) => void,
  ): Promise<() => AsyncIterable<Figures>>
}

export interface BenchOptions {
  readonly runs: number
  /** The one part that is wanted; all of them without it. */
  readonly only: string | undefined
  /** Folder for CPU profiles of the services under test. */
  readonly cpuProf: string | undefined
}

/**
 * Runs a bench several times on a stack of its own and prints the median of each figure, the machine and
 * the versions; its last line is one JSON object with the same.
 */
export async function runBench(
  bench: Bench,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<void> {
  await using stack = await startStack({
    folder: mkdtempSync(join(tmpdir(), 'tickertape-bench-')),
    ports: 'free',
    onProgress: print,
    temporary: true,
  })
  const measure = await bench.prepare(stack, options, print)
  const results: Figures[] = []
  for (let run = 1; run <= options.runs; run += 1) {
    print(`${bench.name}: run ${run} of ${options.runs}`)
    let all: Figures = {}
    for await (const figures of measure()) {
      for (const [name, value] of Object.entries(figures)) print(`  ${name} ${plain(value)}`)
      all = { ...all, ...figures }
    }
    results.push(all)
  }
  const figures = medians(results)
  const machine = describeMachine()
  const versions = stackVersions()
  print(
    `\n${bench.about}\n${machine}\n${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}\n`,
  )
  print(table(figures, results))
  print(JSON.stringify({ bench: bench.name, machine, versions, figures }))
}

function describeMachine(): string {
  const processors = cpus()
  return `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`
}

/** By figure; a figure that is missing in a run is missing altogether. */
export function medians(results: readonly Figures[]): Figures {
  const names = Object.keys(results[0] ?? {})
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = results.map((figures) => figures[name]).filter((value) => value !== undefined)
      const middle = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]
      return values.length === results.length && middle !== undefined ? [[name, middle]] : []
    }),
  )
}

function table(figures: Figures, results: readonly Figures[]): string {
  const rows = Object.entries(figures).map(([name, median]) => {
    const values = results.map((result) => result[name] ?? Number.NaN)
    return [name, plain(median), plain(Math.min(...values)), plain(Math.max(...values))]
  })
  const all = [['figure', 'median', 'min', 'max'], ...rows]
  return all
    .map(
      ([name = '', ...cells]) => name.padEnd(34) + cells.map((cell) => cell.padStart(12)).join(''),
    )
    .join('\n')
}

function plain(value: number): string {
  return value.toLocaleString('en-US', {
    maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0,
  })
}
