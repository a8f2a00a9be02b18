import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { host } from './ports.ts'
import { runCommand } from './run-command.ts'

/** What a secured stack shows and trusts: files in PEM, keys without a password unless one is named. */
export interface CertificateFiles {
  /** The authority of everything here. */
  readonly ca: string
  /** Of nothing here: who trusts this one alone trusts no server of the stack. */
  readonly otherCa: string
  readonly serverCertificate: string
  readonly serverKey: string
  /** Key and certificate one behind the other, as Kafka takes them. */
  readonly serverPair: string
  readonly clientCertificate: string
  readonly clientKey: string
  /** The same key, encrypted with `clientKeyPassword`. */
  readonly clientKeyEncrypted: string
}

/** Whom the client's certificate names: Kafka's principal and PostgreSQL's role. */
export const certifiedName = 'certified'

export const clientKeyPassword = 'key-password'

/** Makes an authority and its certificates for one day. Takes openssl. */
export async function makeCertificates(folder: string): Promise<CertificateFiles> {
  await mkdir(folder, { recursive: true })
  const path = (name: string) => join(folder, name)
  const openssl = (args: readonly string[]) =>
    runCommand({ file: 'openssl', args: [...args], folder })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

  async function authority(name: string): Promise<void> {
    const files = ['-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)]
    await openssl(['req', '-x509', ...newKey, '-days', '1', '-subj', `/CN=${name}`, ...files])
  }

  async function signed(name: string, subject: string, extensions: string): Promise<void> {
    const request = ['-keyout', path(`${name}.key`), '-out', path(`${name}.csr`)]
    await openssl(['req', ...newKey, '-subj', `/CN=${subject}`, ...request])
    await writeFile(path(`${name}.ext`), extensions)
    const authorityFiles = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial']
    const files = ['-in', path(`${name}.csr`), '-out', path(`${name}.pem`)]
    const extended = ['-extfile', path(`${name}.ext`)]
    await openssl(['x509', '-req', '-days', '1', ...authorityFiles, ...extended, ...files])
  }

  await authority('ca')
  await authority('other-ca')
  await signed('server', 'localhost', `subjectAltName=DNS:localhost,IP:${host}\n`)
  await signed('client', certifiedName, 'extendedKeyUsage=clientAuth\n')
  const encrypted = ['-out', path('client-encrypted.key'), '-passout', `pass:${clientKeyPassword}`]
  await openssl(['pkcs8', '-topk8', '-in', path('client.key'), ...encrypted])
  const pair = await Promise.all(
    ['server.key', 'server.pem'].map((name) => readFile(path(name), 'utf8')),
  )
  await writeFile(path('server-pair.pem'), pair.join(''), { mode: 0o600 })
  return {
    ca: path('ca.pem'),
    otherCa: path('other-ca.pem'),
    serverCertificate: path('server.pem'),
    serverKey: path('server.key'),
    serverPair: path('server-pair.pem'),
    clientCertificate: path('client.pem'),
    clientKey: path('client.key'),
    clientKeyEncrypted: path('client-encrypted.key'),
  }
}
