import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

import type { TlsFiles } from './kafka-connection.ts'

type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'>

/** What Node takes for the files, as they are now: to be asked for with each new connection. */
export function tlsOptions({
  caFile,
  certificateFile,
  keyFile,
  keyPassword,
}: TlsFiles): TlsOptions {
  return {
    // Node alone would leave out what the system's administrator has added, which librdkafka trusts.
    ca:
      caFile === undefined
        ? [...getCACertificates('default'), ...getCACertificates('system')]
        : readFileSync(caFile),
    ...(certificateFile === undefined ? {} : { cert: readFileSync(certificateFile) }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  }
}
