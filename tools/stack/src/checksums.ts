import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { StackProblem } from './stack-problem.ts'

/** Path relative to the download folder, with `/`, to lower-case hex SHA-256. */
export type Checksums = ReadonlyMap<string, string>

/**
 * Reads lines as sha256sum writes them (`<64 hex digits>  <path>`), with `#` comments.
 *
 * @throws {SyntaxError} naming the line that is neither
 */
export function parseChecksums(text: string): Checksums {
  const checksums = new Map<string, string>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, digest, path] = /^([0-9a-f]{64}) {2}(\S.*)$/.exec(line) ?? []
    if (digest === undefined || path === undefined) {
      throw new SyntaxError(
        `Line ${index + 1} of the checksums must be "<SHA-256>  <path>", got "${line}"`,
      )
    }
    checksums.set(path, digest)
  }
  return checksums
}

export function renderChecksums(checksums: Checksums): string {
  return [...checksums]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, digest]) => `${digest}  ${path}\n`)
    .join('')
}

/** The SHA-256 of every file beneath `folder`. */
export async function checksumsOf(folder: string): Promise<Checksums> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const checksums = new Map<string, string>()
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    checksums.set(relative(folder, path).split(sep).join('/'), await sha256(path))
  }
  return checksums
}

/**
 * Requires exactly the expected files with exactly the expected bytes.
 *
 * @throws {StackProblem} `checksum`, naming the first file that is missing, changed or unexpected
 */
export function requireChecksums(expected: Checksums, actual: Checksums): void {
  const advice = 'Nothing of this download is used.'
  for (const [path, digest] of expected) {
    const found = actual.get(path)
    if (found === undefined) {
      throw new StackProblem('checksum', `The download lacks ${path}. ${advice}`)
    }
    if (found !== digest) {
      throw new StackProblem(
        'checksum',
        `${path} has SHA-256 ${found}, where ${digest} was expected. ${advice} If the file in Maven's local repository (~/.m2/repository) is damaged, delete it there and try again.`,
      )
    }
  }
  for (const path of actual.keys()) {
    if (!expected.has(path)) {
      throw new StackProblem('checksum', `The download holds ${path}, unexpected. ${advice}`)
    }
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
