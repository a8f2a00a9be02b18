import { dirname } from 'node:path'
import { optionalPartNames, partNames, partTitles, type PartName } from './part.ts'
import type { StackAddresses, StackStatus } from './stack.ts'

const addressOf: Readonly<Record<PartName, (addresses: StackAddresses) => string>> = {
  kafka: ({ kafkaBrokers }) => kafkaBrokers,
  registry: ({ registryUrl }) => registryUrl,
  postgres: ({ databaseUrl }) => databaseUrl,
  zipkin: ({ zipkinUrl }) => zipkinUrl ?? '',
}

/**
 * What runs where, as a table for a terminal. What is optional shows if it was asked for.
 *
 * @param now milliseconds since the epoch
 */
export function renderStatus({ addresses, parts }: StackStatus, now: number): string {
  const find = (name: PartName) => parts.find((candidate) => candidate.name === name)
  const shown = [...partNames, ...optionalPartNames.filter((name) => find(name) !== undefined)]
  const rows = shown.map((name) => {
    const part = find(name)
    if (part === undefined || addresses === undefined)
      return [partTitles[name], 'not running', '', '', '']
    if (!part.running) return [partTitles[name], 'died', addressOf[name](addresses), '', '']
    const minutes = Math.floor((now - part.since) / 60_000)
    const since = minutes === 0 ? 'just now' : `${minutes} min`
    return [partTitles[name], 'running', addressOf[name](addresses), String(part.pid), since]
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
