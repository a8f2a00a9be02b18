import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureTopics } from '@tickertape/kafka-avro'
import { renderChecksums } from './checksums.ts'
import { stackConfig } from './config.ts'
import { bundles } from './downloads.ts'
import { checksumsFileOf, checksumsOfFreshBundle } from './maven-bundle.ts'
import { partNames, readOptionalParts, type OptionalPartName } from './part.ts'
import {
  resetStack,
  runningStackStatus,
  startDetachedStack,
  stopStack,
  type StackStatus,
} from './stack.ts'
import { StackProblem } from './stack-problem.ts'
import { renderStatus } from './status-table.ts'

/** One stack for each working copy, beneath its root. */
export const defaultFolder = join(import.meta.dirname, '..', '..', '..', '.tickertape', 'stack')

export interface Terminal {
  readonly print: (line: string) => void
  readonly printProblem: (line: string) => void
  readonly signal: AbortSignal
}

const usage = `Usage: npm run stack -- <command>
  up      start Kafka with its topics, the schema registry and PostgreSQL, and leave them running;
          --with zipkin: Zipkin as well, which shows traces
  down    stop them; their data stays
  status  show what runs where; exit code 1 unless all of it runs
  reset   stop them and delete their data`

/**
 * Runs one command of `npm run stack --` and returns its exit code: 0, 1 where the user has to do
 * something first, 2 where the command is none.
 */
export async function runCommandLine(
  args: readonly string[],
  { print, printProblem, signal }: Terminal,
): Promise<number> {
  const asked = readArguments(args)
  if (typeof asked === 'string') {
    printProblem(asked)
    return 2
  }
  try {
    return await asked.command({ folder: defaultFolder, with: asked.with, print, signal })
  } catch (error) {
    if (!(error instanceof StackProblem)) throw error
    printProblem(error.message)
    return 1
  }
}

interface CommandPlace {
  readonly folder: string
  readonly with: readonly OptionalPartName[]
  readonly print: (line: string) => void
  readonly signal: AbortSignal
}

type Command = (place: CommandPlace) => Promise<number>

/** @returns what to tell the user where the arguments mean nothing. */
function readArguments(
  args: readonly string[],
): { readonly command: Command; readonly with: readonly OptionalPartName[] } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { with: { type: 'string', multiple: true } },
    })
    const [name = '', ...rest] = positionals
    const command = commands.get(name)
    const optional = readOptionalParts(values.with ?? [])
    if (optional.length > 0 && name !== 'up') return `--with belongs to "up"\n\n${usage}`
    return command === undefined || rest.length > 0 ? usage : { command, with: optional }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${usage}`
  }
}

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['up', up],
  ['down', down],
  ['status', status],
  ['reset', reset],
  ['checksums', checksums],
])

async function up({ folder, with: optional, print, signal }: CommandPlace) {
  const stack = await startDetachedStack({
    folder,
    ports: 'default',
    with: optional,
    onProgress: print,
    signal,
  })
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers } })
  print(stack.adopted ? 'The stack was up already.' : 'The stack is up.')
  print(renderStatus(await runningStackStatus(folder), Date.now()))
  return 0
}

async function down({ folder, print }: CommandPlace) {
  const count = await stopStack(folder, print)
  print(count === 0 ? 'The stack was not up.' : `Stopped ${count} processes. Their data stays.`)
  return 0
}

async function status({ folder, print }: CommandPlace) {
  const found = await runningStackStatus(folder)
  print(renderStatus(found, Date.now()))
  return isWhole(found) ? 0 : 1
}

async function reset({ folder, print }: CommandPlace) {
  await resetStack(folder, print)
  print(`The stack is down, and ${folder} is empty.`)
  return 0
}

/** Not in the usage: for whoever changes a version in pom.xml. */
async function checksums({ print, signal }: CommandPlace) {
  const { cacheFolder } = stackConfig()
  for (const bundle of bundles) {
    const file = checksumsFileOf(bundle)
    const found = await checksumsOfFreshBundle(bundle, { cacheFolder, onProgress: print, signal })
    const before = await readFile(file, 'utf8')
    const comments = before.split('\n').filter((line) => line.startsWith('#'))
    await writeFile(file, `${comments.join('\n')}\n${renderChecksums(found)}`)
    print(`Wrote ${found.size} checksums to ${file}`)
  }
  return 0
}

function isWhole({ parts }: StackStatus): boolean {
  return parts.length >= partNames.length && parts.every((part) => part.running)
}
