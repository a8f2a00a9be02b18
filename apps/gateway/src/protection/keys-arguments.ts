import { parseArgs } from 'node:util'

import { timeOf, timeText } from '@tickertape/market-api'

import type { Scope } from '../admission.ts'

/** The command cannot be done as it was given; the message is for whoever gave it. */
export class KeysProblem extends Error {
  override readonly name = 'KeysProblem'
}

export type KeysCommand =
  | {
      readonly verb: 'create'
      readonly name: string
      readonly scopes: readonly Scope[]
      /** ms since the epoch; null: never. */
      readonly expiresAt: number | null
    }
  | { readonly verb: 'list' }
  | { readonly verb: 'revoke'; readonly keyId: string }

const usage =
  'Use: npm run keys -- create --name <name> --scope read|admin [--expires <time>, or 90d] | list | revoke <keyId>'

const dayMs = 86_400_000

const longestName = 100

/** @throws KeysProblem */
export function parseKeysArguments(args: readonly string[], now: number): KeysCommand {
  const { positionals, values } = parsed(args)
  const [verb, keyId, ...more] = positionals
  if (verb === 'create' && keyId === undefined) {
    const { name = '', scope, expires } = values
    if (name.trim() === '' || name.length > longestName) {
      throw new KeysProblem(
        `--name must say whose key it is, in up to ${longestName} letters. ${usage}`,
      )
    }
    const expiresAt = expires === undefined ? null : expiryOf(expires, now)
    return { verb, name: name.trim(), scopes: scopesOf(scope), expiresAt }
  }
  if (Object.keys(values).length === 0) {
    if (verb === 'list' && keyId === undefined) return { verb }
    if (verb === 'revoke' && keyId !== undefined && more.length === 0) {
      return { verb, keyId: plainId(keyId) }
    }
  }
  throw new KeysProblem(usage)
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        scope: { type: 'string' },
        expires: { type: 'string' },
      },
    })
  } catch (error) {
    throw new KeysProblem(`${error instanceof Error ? error.message : String(error)}. ${usage}`, {
      cause: error,
    })
  }
}

function scopesOf(text: string | undefined): readonly Scope[] {
  if (text === 'read') return ['read']
  if (text === 'admin') return ['read', 'admin']
  throw new KeysProblem(`--scope must be read or admin, which holds read. ${usage}`)
}

function expiryOf(text: string, now: number): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  const named = timeText.safeParse(text).success ? timeOf(text) : undefined
  const at = days === undefined ? named : now + Number(days) * dayMs
  if (at === undefined) {
    throw new KeysProblem(
      `--expires must be a time such as 2027-01-01T00:00:00Z, or days such as 90d, got "${text}"`,
    )
  }
  if (at <= now) throw new KeysProblem(`--expires must lie ahead, got "${text}"`)
  return at
}

/** Who pastes a whole key means its id; the secret has no business in a message. */
function plainId(text: string): string {
  return /^tt_([a-z0-9]+)_/.exec(text)?.[1] ?? text
}
