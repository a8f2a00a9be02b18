import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export interface NewApiKey {
  readonly keyId: string
  /** The whole key, `tt_<keyId>_<secret>`: nobody can make it out of what is stored. */
  readonly text: string
  readonly secretHash: Buffer
}

export function newApiKey(): NewApiKey {
  const keyId = randomBytes(6).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  return { keyId, text: `tt_${keyId}_${secret}`, secretHash: hashOf(secret) }
}

/** How long it takes tells nothing of the hash. */
export function isSecretOf(secretHash: Buffer, secret: string): boolean {
  return timingSafeEqual(hashOf(secret), secretHash)
}

/** SHA-256 of the text of 32 random bytes: there is nothing to guess that a slow hash would protect. */
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
