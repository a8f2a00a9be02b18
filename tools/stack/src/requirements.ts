import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StackProblem } from './stack-problem.ts'

const oldestJava = 17

/** @throws {StackProblem} `java` when it is missing or older than 17 */
export async function requireJava(java: string): Promise<void> {
  const advice = `Install Java ${oldestJava} or later (Debian: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17), or point JAVA_HOME at one.`
  const output = await outputOf(java, ['-version'])
  if (output === undefined) {
    throw new StackProblem(
      'java',
      `Kafka and the schema registry need Java, and ${java} can't be run. ${advice}`,
    )
  }
  const major = javaMajorVersion(output)
  if (major === undefined || major < oldestJava) {
    throw new StackProblem(
      'java',
      `Kafka and the schema registry need Java ${oldestJava}, and ${java} is Java ${major ?? 'of an unknown version'}. ${advice}`,
    )
  }
}

/** @throws {StackProblem} `maven` when mvn is missing */
export async function requireMaven(): Promise<void> {
  if ((await outputOf('mvn', ['--version'])) !== undefined) return
  throw new StackProblem(
    'maven',
    "Maven fetches Kafka, the schema registry and Zipkin, and mvn can't be run. Install it (Debian: apt-get install maven; macOS: brew install maven) and try again.",
  )
}

/**
 * Requires free space on the file system that holds, or will hold, `folder`.
 *
 * @throws {StackProblem} `disk`
 */
export async function requireDisk(folder: string, megabytes: number): Promise<void> {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = await statfs(existing)
  const free = Math.floor((bavail * bsize) / 1e6)
  if (free >= megabytes) return
  throw new StackProblem(
    'disk',
    `${folder} needs ${megabytes} MB, and its disk has ${free} MB left. Free some space and try again.`,
  )
}

/** The major version in what `java -version` prints: 17 from "17.0.15", 8 from "1.8.0_402". */
export function javaMajorVersion(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? []
  const major = first === '1' ? second : first
  return major === undefined ? undefined : Number(major)
}

/** What a command prints, or `undefined` where it can't be run or fails. */
async function outputOf(command: string, args: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  execFile(command, args, { timeout: 60_000 }, (error, stdout, stderr) => {
    resolve(error ? undefined : stdout + stderr)
  })
  return promise
}
