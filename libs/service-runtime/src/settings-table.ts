import type { Settings } from './settings.ts'

/** Rows of the table that documents settings, in Markdown, under the name of the service that reads them. */
export function settingsTable(service: string, settings: Settings): readonly string[] {
  return Object.entries(settings).map(([name, setting]) => {
    const standard = setting.default ? `\`${setting.default}\`` : ''
    return `| ${name} | ${service} | ${standard} | ${setting.about.replaceAll('|', '\\|')} |`
  })
}

/** The rows that a document has for a service. */
export function documentedSettings(document: string, service: string): readonly string[] {
  return document.split('\n').filter((line) => line.includes(` | ${service} | `))
}
