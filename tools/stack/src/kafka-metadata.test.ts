import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { brokersIn, metadataRequest, parseMetadataResponse } from './kafka-metadata.ts'

/** Node 1 at 127.0.0.1:9092 without a rack, controller 1, no topics. */
const response = Buffer.from(
  [
    ['00000025', '00000007'],
    ['00000001', '00000001', '0009', '3132372e302e302e31', '00002384', 'ffff'],
    ['00000001', '00000000'],
  ]
    .flat()
    .join(''),
  'hex',
)

async function withServer<Result>(
  answer: (socket: Socket) => void,
  use: (port: number) => Promise<Result>,
): Promise<Result> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  try {
    // as: a server that listens on TCP has an address with a port
    return await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

test('a Metadata request names version 1 and no topics', () => {
  expect(metadataRequest().toString('hex')).toBe(
    ['0000000e', '0003', '0001', '00000007', 'ffff', '00000000'].join(''),
  )
})

describe('a Metadata response', () => {
  test('lists the brokers', () => {
    expect(parseMetadataResponse(response)).toEqual([{ nodeId: 1, host: '127.0.0.1', port: 9092 }])
  })

  test('to another request is refused', () => {
    const other = Buffer.from(response)
    other.writeInt32BE(8, 4)
    expect(() => parseMetadataResponse(other)).toThrow('Correlation id 8')
  })

  test('is read whole when it arrives byte by byte', async () => {
    const answer = async (socket: Socket) => {
      socket.setNoDelay(true)
      for (const byte of response) {
        const written = Promise.withResolvers<void>()
        socket.write(Buffer.of(byte), () => written.resolve())
        await written.promise
      }
    }
    const brokers = await withServer(
      (socket) => void answer(socket),
      (port) => brokersIn({ host: '127.0.0.1', port, timeoutMs: 5_000 }),
    )
    expect(brokers).toHaveLength(1)
  })

  test('that never comes, or is cut off, is an error', async () => {
    await expect(
      withServer(
        () => undefined,
        (port) => brokersIn({ host: '127.0.0.1', port, timeoutMs: 50 }),
      ),
    ).rejects.toThrow('No answer')
    await expect(
      withServer(
        (socket) => socket.end(response.subarray(0, 9)),
        (port) => brokersIn({ host: '127.0.0.1', port, timeoutMs: 5_000 }),
      ),
    ).rejects.toThrow('closed the connection')
  })
})
