import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Deribit's REST interface in front of the simulator's, whose list of instruments a test rules. */
export class CatalogProxy implements AsyncDisposable {
  readonly url: string
  /** Instruments that the list leaves out. */
  readonly hidden = new Set<string>()
  /** Answers the question for the list with an error. */
  broken = false
  /** Address of what answers everything. */
  target = ''
  readonly #close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  static async open(): Promise<CatalogProxy> {
    const server = createServer((request, response) => {
      const path = request.url ?? '/'
      const isList = path.startsWith('/public/get_instruments?')
      if (isList && proxy.broken) {
        response.writeHead(503).end()
        return
      }
      fetch(`${proxy.target}${path}`)
        .then(async (answer) => {
          const body = await answer.text()
          response.writeHead(answer.status).end(isList ? proxy.without(body) : body)
        })
        .catch(() => response.destroy())
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    // A server on a TCP port has such an address.
    const { port } = server.address() as AddressInfo
    const proxy = new CatalogProxy(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    })
    return proxy
  }

  without(body: string): string {
    // The simulator's own answer.
    const answer = JSON.parse(body) as { result: { instrument_name: string }[] }
    const shown = answer.result.filter(({ instrument_name: name }) => !this.hidden.has(name))
    return JSON.stringify({ ...answer, result: shown })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}
