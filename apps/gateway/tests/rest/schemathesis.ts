import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { lockFolder, stackConfig } from '@tickertape/stack'

const run = promisify(execFile)

/** schemathesis and everything that it needs, each in one version. */
const requirements = fileURLToPath(new URL('./schemathesis-requirements.txt', import.meta.url))

/** Filling the cache may take as long as a slow network does, in ms. */
const installMs = 240_000

type Provided =
  | { readonly program: string }
  | { readonly program: undefined; readonly reason: string }

/**
 * schemathesis, which is a Python package: from the cache of the local stack, or else installed there.
 *
 * @returns its program; undefined with the reason where Python or the package is not to be had.
 */
export async function provideSchemathesis(): Promise<Provided> {
  const { cacheFolder } = stackConfig()
  // Other versions get a folder of their own.
  const versions = hash('sha256', readFileSync(requirements)).slice(0, 12)
  const folder = join(cacheFolder, `schemathesis-${versions}`)
  const program = join(folder, 'bin', 'schemathesis')
  const whole = join(folder, '.whole')
  if (existsSync(whole)) return { program }
  mkdirSync(cacheFolder, { recursive: true })
  using _lock = await lockFolder(cacheFolder, {
    whom: () => 'another process that is filling the download cache',
    onProgress: () => undefined,
  })
  if (existsSync(whole)) return { program }
  rmSync(folder, { recursive: true, force: true })
  try {
    await run('python3', ['-m', 'venv', folder], { timeout: installMs })
  } catch (error) {
    return missing('python3 with its module venv is needed (Debian: python3-venv)', error)
  }
  // What is not among the requirements is not fetched: a version that somebody has just published is none of ours.
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
  try {
    await run(join(folder, 'bin', 'python3'), [...pip, '--requirement', requirements], {
      timeout: installMs,
    })
    await run(join(folder, 'bin', 'python3'), ['-m', 'pip', 'check'], { timeout: installMs })
  } catch (error) {
    return missing('pip cannot install schemathesis', error)
  }
  writeFileSync(whole, '')
  return { program }
}

function missing(what: string, error: unknown): Provided {
  const cause = error instanceof Error ? error.message : String(error)
  return { program: undefined, reason: `${what}: ${cause}` }
}
