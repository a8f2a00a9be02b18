import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import manifest from '../package.json' with { type: 'json' }

/** Version of the product: all its packages have the same. */
export const version = manifest.version

/**
 * Which source this process runs: what its image was given, else what a git checkout says.
 *
 * @param given TICKERTAPE_REVISION; empty if nobody knows.
 * @returns `unknown` where there is neither.
 */
export function revisionOf(
  given: string,
  folder = resolve(import.meta.dirname, '../../..'),
): string {
  return given || headOf(resolve(folder, '.git')) || 'unknown'
}

/** What HEAD points at: gitrepository-layout(5). */
function headOf(git: string): string | undefined {
  const head = textOf(resolve(git, 'HEAD'))
  const branch = head?.match(/^ref: (.+)$/)?.[1]
  if (branch === undefined) return head
  return textOf(resolve(git, branch)) ?? packedHead(git, branch)
}

function packedHead(git: string, branch: string): string | undefined {
  const lines = textOf(resolve(git, 'packed-refs'))?.split('\n') ?? []
  return lines.find((line) => line.endsWith(` ${branch}`))?.split(' ')[0]
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
