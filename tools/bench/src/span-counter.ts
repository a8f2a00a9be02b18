import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A collector that takes all spans and keeps none. */
export interface SpanCounter extends AsyncDisposable {
  /** Where Zipkin's JSON goes. */
  readonly endpoint: string
  /** Spans taken so far. */
  readonly count: number
}

/** Each span has its trace's id once. */
const spanMark = Buffer.from('"traceId"')

export async function startSpanCounter(): Promise<SpanCounter> {
  let count = 0
  const server = createServer((request, response) => {
    void take(request).then((spans) => {
      count += spans
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on a port of its own.
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}/api/v2/spans`,
    get count() {
      return count
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function take(request: IncomingMessage): Promise<number> {
  const parts: Buffer[] = []
  // Without an encoding, a request gives Buffers.
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  let spans = 0
  for (let at = body.indexOf(spanMark); at >= 0; at = body.indexOf(spanMark, at + 1)) spans += 1
  return spans
}
