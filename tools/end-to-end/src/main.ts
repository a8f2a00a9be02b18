import { readOptions } from './config.ts'
import { runTests } from './run-tests.ts'
import { formatSummary } from './test-summary.ts'

const stopping = new AbortController()
process.on('SIGINT', () => stopping.abort())
process.on('SIGTERM', () => stopping.abort())

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  const summary = await runTests(options, stopping.signal, print)
  if (summary.failed > 0 || (summary.passed === 0 && options.affectedSince === undefined)) {
    process.exitCode = 1
  }
  print(`\n${formatSummary(summary)}`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
