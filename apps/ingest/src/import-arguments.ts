import { parseArgs } from 'node:util'

import { venueNames } from './venue-registry.ts'
import type { VenueName } from './venue-registry.ts'

/** What was asked for cannot be done; the message is for the user. */
export class ImportProblem extends Error {
  override readonly name = 'ImportProblem'
}

export interface ImportRequest {
  readonly venue: VenueName
  /** The venue's own symbols. */
  readonly instruments: readonly string[]
  /** Event time, inclusive, in ms; undefined: from the beginning of the file. */
  readonly fromTime: number | undefined
  /** Event time, exclusive, in ms; undefined: up to the present, or to the end of the file. */
  readonly toTime: number | undefined
  /** A recording to read in place of the venue's history. */
  readonly file: string | undefined
}

const usage =
  'npm run import -- --venue <venue> --instrument <symbol>[,<symbol> …] --from <time> [--to <time>] [--file <recording.jsonl.gz>], with times like 2026-01-05T00:00:00Z or milliseconds since 1970; with --file both times may be left out'

/** @throws ImportProblem that says how the command is used. */
export function parseImportArguments(args: readonly string[], now: number): ImportRequest {
  const { venue, instrument, from, to, file } = optionsOf(args)
  const name = venueNames.find((each) => each === venue)
  if (name === undefined) {
    const given = venue === undefined ? '--venue is missing' : `--venue ${venue} is not known`
    throw new ImportProblem(`${given}: it is one of ${venueNames.join(', ')}. Usage: ${usage}`)
  }
  const instruments = (instrument ?? '').split(',').flatMap((each) => each.trim() || [])
  if (instruments.length === 0) throw new ImportProblem(`--instrument is missing. Usage: ${usage}`)
  const fromTime = from === undefined ? undefined : parseTime('--from', from)
  const toTime = to === undefined ? undefined : parseTime('--to', to)
  if (fromTime === undefined && file === undefined) {
    throw new ImportProblem(`--from is missing. Usage: ${usage}`)
  }
  if (fromTime !== undefined && fromTime >= (toTime ?? now)) {
    const end = toTime === undefined ? 'now' : `--to ${iso(toTime)}`
    throw new ImportProblem(`--from ${iso(fromTime)} is not before ${end}`)
  }
  return { venue: name, instruments: [...new Set(instruments)], fromTime, toTime, file }
}

/** What the import of one instrument is called as a feed: the same command goes on where it stopped. */
export function importFeedId(
  { venue, fromTime, toTime, file }: Omit<ImportRequest, 'instruments'>,
  instrument: string,
): string {
  const range = `${fromTime === undefined ? '' : iso(fromTime)}..${toTime === undefined ? '' : iso(toTime)}`
  const source = file === undefined ? 'history' : (file.split('/').at(-1) ?? file)
  return `import/${venue}/${instrument}/${source}/${range}`
}

function optionsOf(args: readonly string[]): Readonly<Partial<Record<string, string>>> {
  const text = { type: 'string' } as const
  try {
    const options = { venue: text, instrument: text, from: text, to: text, file: text }
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ImportProblem(`${why}. Usage: ${usage}`, { cause: error })
  }
}

function parseTime(option: string, text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isSafeInteger(time)) return time
  throw new ImportProblem(`${option} must be a time, got "${text}". Usage: ${usage}`)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
