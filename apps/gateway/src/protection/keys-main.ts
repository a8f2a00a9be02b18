import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment, settings } from '../config.ts'
import { KeysProblem, parseKeysArguments } from './keys-arguments.ts'
import { runKeysCommand } from './keys-command.ts'

const { DATABASE_URL, DATABASE_SCHEMA } = settings

try {
  const command = parseKeysArguments(process.argv.slice(2), Date.now())
  const values = readSettings({ DATABASE_URL, DATABASE_SCHEMA }, 'KEYS_', environment)
  await runKeysCommand(
    { databaseUrl: values.DATABASE_URL, databaseSchema: values.DATABASE_SCHEMA },
    command,
    {
      result: (line) => void process.stdout.write(`${line}\n`),
      remark: (line) => void process.stderr.write(`${line}\n`),
    },
  )
} catch (error) {
  const isExpected = error instanceof KeysProblem || error instanceof SettingsError
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`keys: ${isExpected ? '' : 'failed: '}${message}\n`)
  process.exitCode = 1
}
