import { KafkaAvroError } from '@tickertape/kafka-avro'
import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment, readConfig, settings } from './config.ts'
import { ImportProblem, parseImportArguments } from './import-arguments.ts'
import { runImport } from './import-run.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort())
}

try {
  const request = parseImportArguments(process.argv.slice(2), Date.now())
  const values = readSettings(settings, 'INGEST_', { ...environment, INGEST_VENUE: request.venue })
  const write = (line: string) => void process.stdout.write(`${line}\n`)
  await runImport(readConfig(values), request, write, interrupted.signal)
} catch (error) {
  if (interrupted.signal.aborted) {
    process.stderr.write('import: stopped; the same command goes on from here\n')
    process.exitCode = 130
  } else {
    const isExpected = [ImportProblem, SettingsError, KafkaAvroError].some(
      (kind) => error instanceof kind,
    )
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`import: ${isExpected ? '' : 'failed: '}${message}\n`)
    process.exitCode = 1
  }
}
