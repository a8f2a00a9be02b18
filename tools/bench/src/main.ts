import { runBench } from './bench-frame.ts'
import { readBenchName } from './config.ts'
import { roadBench } from './road-bench.ts'

const benches = [roadBench]

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const name = readBenchName(
  process.argv.slice(2),
  benches.map((bench) => bench.name),
)
const bench = benches.find((candidate) => candidate.name === name)
try {
  if (bench === undefined) {
    throw new Error(
      `Name one bench: npm run bench -- ${benches.map((known) => known.name).join(' | ')}`,
    )
  }
  await runBench(bench, print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
