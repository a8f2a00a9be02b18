import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/**
 * A way to a server that can be shut. It listens all the time, for a port that is let go may be somebody
 * else's when it is wanted back: while it is shut, connections are reset as they come.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: string
  #isOpen = true

  private constructor(server: Server, target: string) {
    this.#server = server
    this.#target = target
    server.on('connection', (client) => {
      if (this.#isOpen) {
        const [host = '', port] = this.#target.split(':')
        this.#join(client, connect(Number(port), host))
      } else {
        client.on('error', () => undefined)
        client.resetAndDestroy()
      }
    })
  }

  /** @param target of the server, `host:port`. */
  static async to(target: string): Promise<TcpProxy> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpProxy(server, target)
  }

  get port(): number {
    // A server on a TCP port has such an address.
    return (this.#server.address() as AddressInfo).port
  }

  open(): void {
    this.#isOpen = true
  }

  /** New connections go to another server from now on, `host:port`: one that was started in place of the first. */
  leadTo(target: string): void {
    this.#target = target
  }

  /** Breaks all connections, in the middle of whatever they carry, and new ones at once. */
  shut(): void {
    this.#isOpen = false
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

/** The same address by way of a proxy to its host and port. */
export function byWayOf(proxy: TcpProxy, url: string): string {
  const way = new URL(url)
  way.host = `127.0.0.1:${proxy.port}`
  return way.toString()
}
