import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'

export interface SigningKey {
  readonly kid: string
  readonly publicJwk: JWK
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>
}

export async function createSigningKey(kid: string, algorithm = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  return {
    kid,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
    sign: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey),
  }
}

/** What an identity provider serves its keys by. */
export interface KeySetServer extends AsyncDisposable {
  readonly url: string
  /** What it answers from now on; undefined: 503. */
  keys: readonly SigningKey[] | undefined
  /** Requests answered so far. */
  readonly requests: number
}

export async function startKeySetServer(first: readonly SigningKey[]): Promise<KeySetServer> {
  let keys: readonly SigningKey[] | undefined = first
  let requests = 0
  const server = createServer((_request, response) => {
    requests += 1
    if (keys === undefined) {
      response.writeHead(503).end()
      return
    }
    response.setHeader('content-type', 'application/jwk-set+json')
    response.end(JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/jwks`,
    get keys() {
      return keys
    },
    set keys(given) {
      keys = given
    },
    get requests() {
      return requests
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
