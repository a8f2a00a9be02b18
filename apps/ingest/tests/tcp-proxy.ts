import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

interface Target {
  readonly host: string
  readonly port: number
}

/** A way to a server that can be shut: nobody listens then, as if the server were down. */
export class TcpProxy implements AsyncDisposable {
  readonly #target: Target
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  readonly port: number

  private constructor(target: Target, port: number) {
    this.#target = target
    this.port = port
  }

  /** @param target of the server, `host:port`. It is shut at first. */
  static async to(target: string): Promise<TcpProxy> {
    const [host = '', port] = target.split(':')
    const found = await listening(0, () => undefined)
    // A server on a TCP port has such an address.
    const free = (found.address() as AddressInfo).port
    await closed(found)
    return new TcpProxy({ host, port: Number(port) }, free)
  }

  async open(): Promise<void> {
    this.#server ??= await listening(this.port, (client) => {
      const server = connect(this.#target.port, this.#target.host)
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.pipe(other)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      }
    })
  }

  async shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await closed(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut()
  }
}

async function listening(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
