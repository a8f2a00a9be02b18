import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'

import { waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { TlsFiles } from '../src/protection/tls-files.ts'
import type { TlsPair } from '../src/protection/tls-files.ts'
import { createCertificateFolder } from './certificates.ts'
import type { CertificateFolder } from './certificates.ts'
import { noDatabase, startProtectedServer } from './protected-server.ts'
import type { ProtectedServer } from './protected-server.ts'

function start({ certFile, keyFile }: CertificateFolder): Promise<ProtectedServer> {
  return startProtectedServer(noDatabase, {
    GATEWAY_TLS_CERT_FILE: certFile,
    GATEWAY_TLS_KEY_FILE: keyFile,
  })
}

async function open(server: ProtectedServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const port = Number(new URL(server.origin).port)
  // The certificate is the test's own, and looked at below.
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

async function commonName(server: ProtectedServer): Promise<unknown> {
  const socket = await open(server)
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

/** One request over a connection that stays open. */
async function get(socket: TLSSocket): Promise<string> {
  socket.write('GET /public HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}

it('a renewed certificate is taken without a restart, and open connections go on', async () => {
  await using folder = await createCertificateFolder('old')
  await using server = await start(folder)
  const opened = await open(server)
  expect(await commonName(server)).toBe('old')
  expect(await get(opened)).toMatch(/^HTTP\/1\.1 200 .*strict-transport-security/is)

  await folder.renew('new')
  await waitUntil('the new certificate', async () => (await commonName(server)) === 'new')
  expect(opened.getPeerCertificate().subject.CN).toBe('old')
  expect(await get(opened)).toMatch(/^HTTP\/1\.1 200 /)
  opened.destroy()
})

it('SIGHUP has the files read at once', async () => {
  await using folder = await createCertificateFolder('old')
  const taken: string[] = []
  const events = {
    tlsPairTaken: ({ certificate }: TlsPair) => void taken.push(certificate.subject),
    tlsPairRefused: () => undefined,
  }
  await using files = await TlsFiles.open(folder, events, 3_600_000)
  files.follow(createServer(files.options))
  await folder.renew('new')
  process.kill(process.pid, 'SIGHUP')
  await waitUntil('the new certificate', () => taken.length === 2)
  expect(taken).toEqual(['CN=old', 'CN=new'])
})

it('a pair that cannot be used leaves the old one in place, and is told until it is mended', async () => {
  await using folder = await createCertificateFolder('old')
  await using other = await createCertificateFolder('other')
  await using server = await start(folder)
  const told = () => server.readiness.degraded.map(({ reason }) => reason)
  for (const [text, reason] of [
    ['no key', /key\.pem holds no private key in PEM/],
    [
      await readFile(other.keyFile, 'utf8'),
      /key\.pem is not the key of the certificate in .*cert\.pem/,
    ],
  ] as const) {
    await folder.breakKey(text)
    await waitUntil('the fault to be told', () => told().some((line) => reason.test(line)))
    expect(await commonName(server)).toBe('old')
  }
  await folder.renew('new')
  await waitUntil('the new certificate', async () => (await commonName(server)) === 'new')
  expect(told()).toEqual([])
})

it('a first pair that cannot be used stops the start', async () => {
  await using folder = await createCertificateFolder('old')
  await folder.breakKey('no key')
  await expect(start(folder)).rejects.toThrow(/key\.pem holds no private key in PEM/)
})

it('TLS begins at 1.2', async () => {
  await using folder = await createCertificateFolder('old')
  await using server = await start(folder)
  const older = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
  await expect(open(server, older)).rejects.toThrow(/alert protocol version/)
  const socket = await open(server)
  expect(socket.getProtocol()).toBe('TLSv1.3')
  socket.destroy()
})
