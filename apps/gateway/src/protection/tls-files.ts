import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContextOptions, Server } from 'node:tls'

import type { TlsFileNames } from './settings.ts'

/** A certificate chain and its key, as they were read; both PEM. */
export interface TlsPair {
  readonly cert: Buffer
  readonly key: Buffer
  /** The first of the chain, which is the server's own. */
  readonly certificate: X509Certificate
}

export interface TlsFilesEvents {
  tlsPairTaken(pair: TlsPair, isFirst: boolean): void
  tlsPairRefused(error: unknown): void
}

/** Comparing contents sees every way in which files are replaced: renamed, linked anew, over a network. */
const usualLookMs = 2_000

/**
 * The files that HTTPS is served with. Changed ones are taken for new connections within some seconds, or at once by
 * SIGHUP; those that are open go on. A pair that cannot be used changes nothing and is told, once for each content.
 */
export class TlsFiles implements AsyncDisposable {
  readonly #names: TlsFileNames
  readonly #events: TlsFilesEvents
  readonly #lookEveryMs: number
  readonly #stopping = new AbortController()
  #pair: TlsPair
  #server: Server | undefined
  /** Of a pair that was refused. */
  #refused: string | undefined
  #wake = Promise.withResolvers<void>()
  #ended: Promise<void> = Promise.resolve()

  private constructor(
    names: TlsFileNames,
    pair: TlsPair,
    events: TlsFilesEvents,
    lookEveryMs: number,
  ) {
    this.#names = names
    this.#pair = pair
    this.#events = events
    this.#lookEveryMs = lookEveryMs
  }

  /** @throws Error that names the file if the first pair cannot be used. */
  static async open(
    names: TlsFileNames,
    events: TlsFilesEvents,
    lookEveryMs = usualLookMs,
  ): Promise<TlsFiles> {
    const pair = checkPair(names, await readPair(names))
    events.tlsPairTaken(pair, true)
    return new TlsFiles(names, pair, events, lookEveryMs)
  }

  /** For the server to begin with. */
  get options(): SecureContextOptions {
    return contextOptions(this.#pair)
  }

  /** From now on the server follows the files. */
  follow(server: Server): void {
    this.#server = server
    process.on('SIGHUP', this.#hangUp)
    this.#ended = this.#watch()
  }

  readonly #hangUp = (): void => {
    this.#refused = undefined
    this.#wake.resolve()
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // An abort only ends the pause.
      const pause = wait(this.#lookEveryMs, undefined, { signal }).catch(() => undefined)
      await Promise.race([pause, this.#wake.promise])
      this.#wake = Promise.withResolvers()
      if (!signal.aborted) await this.#look()
    }
  }

  async #look(): Promise<void> {
    let content: string | undefined
    try {
      const read = await readPair(this.#names)
      content = read.cert.toString('latin1') + read.key.toString('latin1')
      if (content === this.#refused) return
      if (read.cert.equals(this.#pair.cert) && read.key.equals(this.#pair.key)) {
        // Put back as it was.
        if (this.#refused !== undefined) this.#take(this.#pair)
        return
      }
      this.#take(checkPair(this.#names, read))
    } catch (error) {
      const failure = content ?? String(error)
      if (failure === this.#refused) return
      this.#refused = failure
      this.#events.tlsPairRefused(error)
    }
  }

  #take(pair: TlsPair): void {
    this.#server?.setSecureContext(contextOptions(pair))
    this.#pair = pair
    this.#refused = undefined
    this.#events.tlsPairTaken(pair, false)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('SIGHUP', this.#hangUp)
    this.#stopping.abort()
    this.#wake.resolve()
    await this.#ended
  }
}

type ReadPair = Pick<TlsPair, 'cert' | 'key'>

async function readPair({ certFile, keyFile }: TlsFileNames): Promise<ReadPair> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)])
  return { cert, key }
}

/** Two files are never replaced at once: a certificate without its key must not reach the server. */
function checkPair({ certFile, keyFile }: TlsFileNames, { cert, key }: ReadPair): TlsPair {
  const certificate = translated(certFile, 'no certificate in PEM', () => new X509Certificate(cert))
  const privateKey = translated(keyFile, 'no private key in PEM', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(`${keyFile} is not the key of the certificate in ${certFile}`)
  }
  const pair = { cert, key, certificate }
  translated(certFile, 'what TLS cannot use', () => createSecureContext(contextOptions(pair)))
  return pair
}

function translated<T>(file: string, holds: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${file} holds ${holds}: ${reason}`, { cause })
  }
}

function contextOptions({ cert, key }: ReadPair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' }
}
