import { settings as aggregator } from '../../../apps/aggregator/src/config.ts'
import { settings as ingest } from '../../../apps/ingest/src/config.ts'
import { settings as pgSink } from '../../../apps/pg-sink/src/config.ts'
import { sharedSettings } from '@tickertape/service-runtime'
import type { Settings } from '@tickertape/service-runtime'

const services: Readonly<Record<string, Settings>> = { ingest, aggregator, 'pg-sink': pgSink }

/** The README's table of every variable that a service reads. */
export function settingsTable(): string {
  const rows = Object.entries(sharedSettings).map(([name, setting]) => row(name, setting, 'all'))
  for (const [service, settings] of Object.entries(services)) {
    for (const [name, setting] of Object.entries(settings)) {
      if (!Object.hasOwn(sharedSettings, name)) rows.push(row(name, setting, service))
    }
  }
  return ['| variable | service | default | meaning |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  )
}

function row(name: string, setting: Settings[string], service: string): string {
  const standard =
    setting.default === undefined || setting.default === '' ? '' : `\`${setting.default}\``
  return `| ${name} | ${service} | ${standard} | ${setting.about.replaceAll('|', '\\|')} |`
}
