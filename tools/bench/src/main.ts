import { aggregatorBench } from './aggregator-bench.ts'
import { runBench } from './bench-frame.ts'
import { readRequest } from './config.ts'
import { gatewayBench } from './gateway-bench.ts'
import { ingestBench } from './ingest-bench.ts'
import { ingestSoakBench } from './ingest-soak-bench.ts'
import { roadBench } from './road-bench.ts'
import { sinkBench } from './sink-bench.ts'

const benches = [roadBench, ingestBench, ingestSoakBench, aggregatorBench, sinkBench, gatewayBench]

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

try {
  const { bench, options } = readRequest(process.argv.slice(2), benches)
  await runBench(bench, options, print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
