import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SpanRequest {
  readonly path: string
  readonly contentType: string | undefined
  readonly body: unknown
}

export interface SpanSink extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly SpanRequest[]
}

/** An HTTP status, or `never` to keep the request open. */
export type SpanAnswer = number | 'never'

/**
 * What a collector is to an exporter: an HTTP server that takes spans.
 *
 * @param answers to the first requests, the last one to all others.
 */
export async function startSpanSink(...answers: readonly SpanAnswer[]): Promise<SpanSink> {
  const requests: SpanRequest[] = []
  const server = createServer((request, response) => {
    void take(request, response)
  })
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    // Without an encoding, a request gives Buffers.
    for await (const part of request) parts.push(part as Buffer)
    const answer = answers[requests.length] ?? answers.at(-1) ?? 202
    requests.push({
      path: request.url ?? '',
      contentType: request.headers['content-type'],
      body: JSON.parse(Buffer.concat(parts).toString()),
    })
    if (answer !== 'never') response.writeHead(answer).end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on a port of its own.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
