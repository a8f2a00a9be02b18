import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment, readConfig, settings } from './config.ts'
import { formatReport, isProven } from './report.ts'
import { verify } from './verify.ts'

try {
  const report = await verify(readConfig(readSettings(settings, 'VERIFY_', environment)))
  process.stdout.write(`${formatReport(report)}\n`)
  process.exitCode = isProven(report) ? 0 : 1
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(
    `verify: ${error instanceof SettingsError ? '' : 'could not compare: '}${message}\n`,
  )
  process.exitCode = 1
}
