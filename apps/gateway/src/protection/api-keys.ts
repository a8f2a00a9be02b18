import type { Database } from '@tickertape/market-store'

import { scopes } from '../admission.ts'
import type { Scope, Standing } from '../admission.ts'
import { isSecretOf } from './api-key.ts'
import { KeptCopy } from './kept-copy.ts'

export interface StandingKey {
  readonly keyId: string
  readonly secretHash: Buffer
  readonly scopes: readonly Scope[]
  /** ms since the epoch; null: never. */
  readonly expiresAt: number | null
}

/** `unknowable`: the keys could not be read, so that one that is not known may be good. */
export type KeyVerdict = StandingKey | 'invalid' | 'unknowable'

interface KeyRow {
  readonly key_id: string
  readonly secret_hash: Buffer
  readonly scopes: readonly string[]
  readonly expires_at: Date | null
}

export interface ApiKeysEvents {
  keysRead(count: number): void
  keysNotRead(error: unknown): void
}

/**
 * The keys that stand, all of them in memory (some 300 bytes each), so that no request waits for the database: only
 * a key that is not known asks it, and all that are not known share one reading a second.
 */
export class ApiKeys implements AsyncDisposable {
  readonly #copy: KeptCopy<ReadonlyMap<string, StandingKey>>

  private constructor(copy: KeptCopy<ReadonlyMap<string, StandingKey>>) {
    this.#copy = copy
  }

  static open(
    database: Database,
    { reloadMs, outageMs }: { readonly reloadMs: number; readonly outageMs: number },
    events: ApiKeysEvents,
  ): ApiKeys {
    return new ApiKeys(
      KeptCopy.open({
        read: () => readStandingKeys(database),
        everyMs: reloadMs,
        outageMs,
        onRead: (keys) => events.keysRead(keys.size),
        onFailure: (error) => events.keysNotRead(error),
      }),
    )
  }

  async verify(keyId: string, secret: string, now: number): Promise<KeyVerdict> {
    if (this.#copy.value?.get(keyId) === undefined && !(await this.#copy.refresh())) {
      return 'unknowable'
    }
    const key = this.#standing(keyId, now)
    return key !== undefined && isSecretOf(key.secretHash, secret) ? key : 'invalid'
  }

  /** `unknowable`: the keys have not been read for so long that nothing is known of any. */
  stands(keyId: string, now: number): Standing {
    if (this.#copy.value === undefined) return 'unknowable'
    return this.#standing(keyId, now) === undefined ? 'ended' : 'stands'
  }

  #standing(keyId: string, now: number): StandingKey | undefined {
    const key = this.#copy.value?.get(keyId)
    return key === undefined || (key.expiresAt ?? Infinity) <= now ? undefined : key
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copy[Symbol.asyncDispose]()
  }
}

async function readStandingKeys(database: Database): Promise<ReadonlyMap<string, StandingKey>> {
  const { rows } = await database.query<KeyRow>({
    name: 'gateway_standing_keys',
    text: `select key_id, secret_hash, scopes, expires_at from api_keys
      where revoked_at is null and (expires_at is null or expires_at > now())`,
  })
  return new Map(
    rows.map((row) => [
      row.key_id,
      {
        keyId: row.key_id,
        secretHash: row.secret_hash,
        scopes: scopes.filter((scope) => row.scopes.includes(scope)),
        expiresAt: row.expires_at?.getTime() ?? null,
      },
    ]),
  )
}
