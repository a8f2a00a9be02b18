import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { lockFolder, stackConfig } from '@tickertape/stack'

const run = promisify(execFile)

const version = '4.32.5'

/** Filling the cache may take as long as a slow network does, in ms. */
const installMs = 240_000

/**
 * schemathesis, which is a Python package: from the cache of the local stack, or else installed there.
 *
 * @returns its program; undefined with the reason where Python is missing.
 * @throws Error in CI where Python is missing: what is skipped there proves nothing.
 */
export async function provideSchemathesis(): Promise<
  { readonly program: string } | { readonly program: undefined; readonly reason: string }
> {
  const { cacheFolder } = stackConfig()
  const folder = join(cacheFolder, `schemathesis-${version}`)
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
    const cause = error instanceof Error ? error.message : String(error)
    const reason = `python3 with its module venv is needed (Debian: python3-venv): ${cause}`
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error })
    return { program: undefined, reason }
  }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  await run(join(folder, 'bin', 'python3'), [...pip, `schemathesis==${version}`], {
    timeout: installMs,
  })
  writeFileSync(whole, '')
  return { program }
}
