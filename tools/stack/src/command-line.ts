import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureTopics } from '@tickertape/kafka-avro'
import { renderChecksums } from './checksums.ts'
import { stackConfig } from './config.ts'
import { checksumsFile, checksumsOfFreshDownload } from './downloads.ts'
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
  up      start Kafka with its topics, the schema registry and PostgreSQL, and leave them running
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
  const [command, ...rest] = args
  const run = rest.length === 0 ? commands.get(command ?? '') : undefined
  if (run === undefined) {
    printProblem(usage)
    return 2
  }
  try {
    return await run(defaultFolder, print, signal)
  } catch (error) {
    if (!(error instanceof StackProblem)) throw error
    printProblem(error.message)
    return 1
  }
}

type Command = (
  folder: string,
  print: (line: string) => void,
  signal: AbortSignal,
) => Promise<number>

const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['up', up],
  ['down', down],
  ['status', status],
  ['reset', reset],
  ['checksums', checksums],
])

async function up(folder: string, print: (line: string) => void, signal: AbortSignal) {
  const stack = await startDetachedStack({ folder, ports: 'default', onProgress: print, signal })
  await ensureTopics({ brokers: stack.kafkaBrokers })
  print(stack.adopted ? 'The stack was up already.' : 'The stack is up.')
  print(renderStatus(await runningStackStatus(folder), Date.now()))
  return 0
}

async function down(folder: string, print: (line: string) => void) {
  const count = await stopStack(folder, print)
  print(count === 0 ? 'The stack was not up.' : `Stopped ${count} processes. Their data stays.`)
  return 0
}

async function status(folder: string, print: (line: string) => void) {
  const found = await runningStackStatus(folder)
  print(renderStatus(found, Date.now()))
  return isWhole(found) ? 0 : 1
}

async function reset(folder: string, print: (line: string) => void) {
  await resetStack(folder, print)
  print(`The stack is down, and ${folder} is empty.`)
  return 0
}

/** Not in the usage: for whoever changes a version in pom.xml. */
async function checksums(_folder: string, print: (line: string) => void, signal: AbortSignal) {
  const { cacheFolder } = stackConfig()
  const found = await checksumsOfFreshDownload({ cacheFolder, onProgress: print, signal })
  const before = await readFile(checksumsFile, 'utf8')
  const comments = before.split('\n').filter((line) => line.startsWith('#'))
  await writeFile(checksumsFile, `${comments.join('\n')}\n${renderChecksums(found)}`)
  print(`Wrote ${found.size} checksums to ${checksumsFile}`)
  return 0
}

function isWhole({ parts }: StackStatus): boolean {
  return parts.length === 3 && parts.every((part) => part.running)
}
