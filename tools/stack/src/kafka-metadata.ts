import { connect } from 'node:net'

export interface Broker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}

const metadataKey = 3
const metadataVersion = 1
const correlationId = 7

/**
 * The brokers that a Kafka node knows to be alive, by a Metadata request of version 1 over a
 * connection of its own (https://kafka.apache.org/protocol#The_Messages_Metadata).
 *
 * A broker that has only opened its port yet answers with an empty list, or not at all.
 *
 * @throws {Error} when the connection fails, or nothing whole comes back within `timeoutMs`
 */
export async function brokersIn({ host, port, timeoutMs }: BrokerAddress): Promise<Broker[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Broker[]>()
  const socket = connect({ host, port })
  socket.setTimeout(timeoutMs, () => {
    socket.destroy(new Error(`No answer from ${host}:${port} within ${timeoutMs} ms`))
  })
  socket.once('connect', () => socket.write(metadataRequest()))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error(`${host}:${port} closed the connection`)))
  let received = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
    try {
      resolve(parseMetadataResponse(received))
    } catch (error) {
      reject(error)
    }
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** Size, request header version 1 without a client id, and an empty list of topics. */
export function metadataRequest(): Buffer {
  const request = Buffer.alloc(18)
  request.writeInt32BE(14, 0)
  request.writeInt16BE(metadataKey, 4)
  request.writeInt16BE(metadataVersion, 6)
  request.writeInt32BE(correlationId, 8)
  request.writeInt16BE(-1, 12)
  request.writeInt32BE(0, 14)
  return request
}

/** @throws {RangeError} when the response ends early */
export function parseMetadataResponse(response: Buffer): Broker[] {
  let at = 4
  const int32 = () => {
    at += 4
    return response.readInt32BE(at - 4)
  }
  const string = () => {
    const length = response.readInt16BE(at)
    at += 2
    // -1 is the null string
    if (length < 0) return ''
    at += length
    return response.toString('utf8', at - length, at)
  }
  const answered = int32()
  if (answered !== correlationId) {
    throw new RangeError(`Correlation id ${answered} where ${correlationId} was asked`)
  }
  const brokers: Broker[] = []
  for (let left = int32(); left > 0; left -= 1) {
    const nodeId = int32()
    const host = string()
    const port = int32()
    // the rack
    string()
    brokers.push({ nodeId, host, port })
  }
  return brokers
}
