import { isIP } from 'node:net'

import { Connection } from '@platformatic/kafka'

import type { KafkaConnection } from './kafka-connection.ts'
import { tlsOptions } from './tls-options.ts'

export interface BrokerConnectionOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
}

export interface BrokerTimeouts {
  readonly connectTimeout: number
  readonly requestTimeout: number
}

/**
 * A connection of the pure-JS client's to one broker, secured as the settings say.
 *
 * @throws what the client says; `kafkaAccessFailure` tells what of it is a matter of access.
 */
export async function openBrokerConnection(
  { connection: { sasl, tls }, clientId }: BrokerConnectionOptions,
  timeouts: BrokerTimeouts,
  host: string,
  port: number,
): Promise<Connection> {
  const opened = new Connection(clientId, {
    ...timeouts,
    // A name is told to the server, which may have a certificate for each; an address must not be.
    ...(tls === undefined ? {} : { tls: tlsOptions(tls), tlsServerName: isIP(host) === 0 }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  })
  // Every request that a fault ends is told of it; the event alone would be an uncaught exception.
  opened.on('error', () => undefined)
  await opened.connect(host, port)
  return opened
}

/** The addresses of `brokers`, in their order. */
export function brokerAddresses(
  brokers: string,
): readonly { readonly host: string; readonly port: number }[] {
  return brokers.split(',').map((address) => {
    const [host = '', port = ''] = address.trim().split(/:(?=\d+$)/)
    return { host: host.replace(/^\[(.+)\]$/, '$1'), port: Number(port) }
  })
}
