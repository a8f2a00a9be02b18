import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

import { aptEnvironment, isContinuousIntegration } from './config.ts'

const run = promisify(execFile)

/** Fetching it may take as long as a slow network does, in ms. */
const installMs = 300_000

export interface DebianProgram {
  /** Where its package puts it. */
  readonly path: string
  /** The package that holds it, and what it needs besides. */
  readonly packages: readonly string[]
}

/**
 * Why a program that tests need is not to be had; undefined where it is there. In CI, as root, a missing one is
 * installed, without the services that it would start; a machine that cannot get it has nothing to say about what
 * is tested with it.
 */
export async function missingProgram({
  path,
  packages,
}: DebianProgram): Promise<string | undefined> {
  if (existsSync(path)) return undefined
  const missing = `${path} is missing: apt-get install ${packages[0]}`
  if (!isContinuousIntegration || process.getuid?.() !== 0) return missing
  try {
    await apt('update')
    await apt('install', '--yes', '--no-install-recommends', ...packages)
  } catch (error) {
    return `${missing} (${error instanceof Error ? error.message : String(error)})`
  }
  return existsSync(path) ? undefined : missing
}

async function apt(...command: readonly string[]): Promise<void> {
  await run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...command], {
    timeout: installMs,
    maxBuffer: 50_000_000,
    env: aptEnvironment(),
  })
}
