import { dirname } from 'node:path'
import { partNames, type PartName } from './part.ts'
import type { StackAddresses, StackStatus } from './stack.ts'

const titles: Readonly<Record<PartName, string>> = {
  kafka: 'Kafka',
  registry: 'Schema registry',
  postgres: 'PostgreSQL',
}

const addressOf: Readonly<Record<PartName, (addresses: StackAddresses) => string>> = {
  kafka: ({ kafkaBrokers }) => kafkaBrokers,
  registry: ({ registryUrl }) => registryUrl,
  postgres: ({ databaseUrl }) => databaseUrl,
}

/**
 * What runs where, as a table for a terminal.
 *
 * @param now milliseconds since the epoch
 */
export function renderStatus({ addresses, parts }: StackStatus, now: number): string {
  const rows = partNames.map((name) => {
    const part = parts.find((candidate) => candidate.name === name)
    if (part === undefined || addresses === undefined)
      return [titles[name], 'not running', '', '', '']
    if (!part.running) return [titles[name], 'died', addressOf[name](addresses), '', '']
    const minutes = Math.floor((now - part.since) / 60_000)
    const since = minutes === 0 ? 'just now' : `${minutes} min`
    return [titles[name], 'running', addressOf[name](addresses), String(part.pid), since]
  })
  const table = renderTable([['', 'state', 'address', 'pid', 'for'], ...rows])
  const [log] = parts
  return log === undefined ? table : `${table}\nlogs: ${dirname(log.logFile)}`
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
