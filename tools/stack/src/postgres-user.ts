import { execFile, spawnSync } from 'node:child_process'
import { chmod, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from './part.ts'
import { StackProblem } from './stack-problem.ts'

export interface PostgresUser {
  readonly uid: number
  readonly gid: number
}

/**
 * The user that PostgreSQL runs as where we are root, which it refuses to be: the system's
 * `postgres`, made where it is missing. `undefined` where we are not root.
 *
 * @throws {StackProblem} `postgres-user` when there is none and none can be made
 */
export async function findPostgresUser(): Promise<PostgresUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const existing = await lookUp('postgres')
  if (existing !== undefined) return existing
  await output('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'])
  const made = await lookUp('postgres')
  if (made !== undefined) return made
  throw new StackProblem(
    'postgres-user',
    'PostgreSQL refuses to run as root, and a user named postgres could not be made for it. Make one (useradd --system postgres), or run this as another user than root.',
  )
}

/**
 * The same command as the PostgreSQL user.
 *
 * Where that user can't get through to the binary or to `home` (a working copy beneath /root), the
 * command keeps root's right to pass through folders and to read, CAP_DAC_READ_SEARCH, and nothing
 * else of root.
 *
 * @throws {StackProblem} `postgres-user` where that takes setpriv and there is none
 */
export async function asPostgresUser(
  command: Command,
  user: PostgresUser,
  home: string,
): Promise<Command> {
  await letPass(dirname(home))
  if (canReach(command.file, home, user)) return { ...command, user }
  const capability = '+dac_read_search'
  const setpriv = [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    `--inh-caps=${capability}`,
    `--ambient-caps=${capability}`,
    // PostgreSQL looks at its own binary with access(2), which forgets the capabilities of whoever
    // is not root unless this is set (capabilities(7), securebits).
    '--securebits=+no_setuid_fixup',
  ]
  if ((await output('setpriv', [...setpriv, 'true'])) === undefined) {
    throw new StackProblem(
      'postgres-user',
      `PostgreSQL refuses to run as root, and the user postgres can't reach ${command.file} or ${home}. Move the working copy out of folders that are closed to others, or run this as another user than root.`,
    )
  }
  return { ...command, file: 'setpriv', args: [...setpriv, command.file, ...command.args] }
}

/** The stack's own folder may come from mkdtemp, which closes it to everybody else. */
async function letPass(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if ((mode & 0o001) === 0) await chmod(folder, (mode & 0o777) | 0o011)
}

function canReach(binary: string, folder: string, { uid, gid }: PostgresUser): boolean {
  const args = ['-c', 'test -x "$0" && test -x "$1"', binary, folder]
  return spawnSync('/bin/sh', args, { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0
}

async function lookUp(name: string): Promise<PostgresUser | undefined> {
  const uid = await output('id', ['-u', name])
  const gid = await output('id', ['-g', name])
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid.trim()), gid: Number(gid.trim()) }
}

async function output(file: string, args: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  execFile(file, args, (error, stdout) => resolve(error ? undefined : stdout))
  return promise
}
