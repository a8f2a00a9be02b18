import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SpanRequest {
  readonly path: string
  readonly contentType: string | undefined
  readonly body: unknown
}

/** Of a span in Zipkin's JSON v2, what tests look at. */
export interface SentSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind?: string
  /** us since the epoch. */
  readonly timestamp: number
  /** us */
  readonly duration: number
  readonly localEndpoint: { readonly serviceName: string }
  readonly tags: Readonly<Record<string, string>>
}

export interface SpanSink extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly SpanRequest[]
  /** All spans so far, of senders that speak Zipkin's JSON. */
  readonly spans: readonly SentSpan[]
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
    get spans() {
      // What Zipkin's exporter sends.
      return requests.flatMap(({ body }) => body as SentSpan[])
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
