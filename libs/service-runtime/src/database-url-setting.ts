import { accessSync, constants } from 'node:fs'

import { urlSetting } from './settings.ts'
import type { Setting } from './settings.ts'

const name = 'DATABASE_URL'
const modes = ['disable', 'require', 'verify-ca', 'verify-full']
const files = ['sslrootcert', 'sslcert', 'sslkey'] as const

/** The database, in libpq's manner: `…?sslmode=verify-full&sslrootcert=/etc/ca.pem`. */
export function databaseUrlSetting(about: string): Setting<string> {
  return {
    ...urlSetting(['postgres', 'postgresql'], {
      default: 'postgres://tickertape:tickertape@127.0.0.1:15432/tickertape',
      about,
    }),
    check: (values) => {
      const url = values[name]
      return typeof url === 'string' ? problemsOf(new URL(url).searchParams) : []
    },
  }
}

function problemsOf(parameters: URLSearchParams): readonly string[] {
  // The driver takes the last of a name, and a password from here, which no line of the log would mask.
  const problems = [...new Set(parameters.keys())]
    .filter((each) => parameters.getAll(each).length > 1)
    .map((each) => `${name}: ${each} is there more than once: say it once`)
  if (parameters.has('password')) {
    problems.push(`${name}: a password belongs before the host, postgres://user:password@host/…`)
  }
  if (parameters.has('ssl')) problems.push(`${name}: say sslmode=verify-full instead of ssl`)
  const mode = parameters.get('sslmode')
  const given = files.filter((file) => (parameters.get(file) ?? '') !== '')
  if (mode === 'prefer' || mode === 'allow') {
    problems.push(
      `${name}: sslmode=${mode} would go on in the clear where the server has no TLS: say require, verify-ca or verify-full`,
    )
  } else if (mode !== null && !modes.includes(mode)) {
    problems.push(`${name}: sslmode must be one of ${modes.join(', ')}, got "${mode}"`)
  }
  if (mode === 'disable' || (mode === null && given.length > 0)) {
    problems.push(
      ...given.map((file) => `${name}: ${file} is of no use without sslmode=verify-full`),
    )
  }
  if (mode === 'verify-ca' && !given.includes('sslrootcert')) {
    problems.push(
      `${name}: sslmode=verify-ca must have an sslrootcert, for anybody gets a certificate of a public authority`,
    )
  }
  if (given.includes('sslcert') !== given.includes('sslkey')) {
    problems.push(`${name}: sslcert and sslkey go together: set both or neither`)
  }
  if (parameters.has('sslpassword')) {
    problems.push(
      `${name}: an sslkey with a password cannot be read: give one without (no sslpassword)`,
    )
  }
  for (const file of given) {
    const problem = unreadable(parameters.get(file) ?? '')
    if (problem !== undefined) {
      problems.push(`${name}: ${file} must be a file that can be read: ${problem}`)
    }
  }
  return problems
}

function unreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
