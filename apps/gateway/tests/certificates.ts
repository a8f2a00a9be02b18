import { execFile } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A folder with a certificate and its key, as a program that renews certificates keeps it. */
export interface CertificateFolder extends AsyncDisposable {
  readonly certFile: string
  readonly keyFile: string
  /** Puts a new pair in place, for 127.0.0.1, under the given common name. */
  renew(commonName: string): Promise<void>
  /** Overwrites the key with something else. */
  breakKey(text: string): Promise<void>
}

export async function createCertificateFolder(commonName: string): Promise<CertificateFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'tickertape-tls-'))
  const certFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  const made: CertificateFolder = {
    certFile,
    keyFile,
    renew: async (name) => {
      const options = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30
        -subj /CN=${name} -addext subjectAltName=IP:127.0.0.1`
      const files = ['-keyout', `${keyFile}.new`, '-out', `${certFile}.new`]
      await run('openssl', [...options.split(/\s+/), ...files])
      await rename(`${keyFile}.new`, keyFile)
      await rename(`${certFile}.new`, certFile)
    },
    breakKey: (text) => writeFile(keyFile, text),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
  await made.renew(commonName)
  return made
}
