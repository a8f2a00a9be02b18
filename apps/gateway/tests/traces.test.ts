import { Registry, Readiness, createLogger } from '@tickertape/service-runtime'
import type { SpanContext } from '@tickertape/tracing'
import { RecordedTracing } from '@tickertape/tracing/testing'
import { waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { createEvents } from '../src/events.ts'
import { openHttpServer } from '../src/http-server.ts'
import type { HttpServer } from '../src/http-server.ts'
import type { MarketUpdate, UpdatesListener } from '../src/market-view.ts'
import { MemoryView } from '../src/stream/testing/memory-view.ts'
import { Peer, StreamBed } from './stream-bed.ts'

const parent: SpanContext = { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) }
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`
const btc = 'binance:BTCUSDT'
const candles = { id: 'a', channel: 'candles', instruments: ['*'], intervals: ['1m'] } as const

/** Every update that it tells of is part of a sampled trace. */
class SampledView extends MemoryView {
  override listen(listener: UpdatesListener): Disposable {
    return super.listen((updates, appendedAt) => {
      const contexts = updates.map((update): [MarketUpdate, SpanContext] => [update, parent])
      listener(updates, appendedAt, new Map(contexts))
    })
  }
}

describe('a sampled update', () => {
  it('is followed until the socket of the last client has taken it', async () => {
    const tracing = new RecordedTracing()
    await using bed = await StreamBed.over(new SampledView(), { tracing })
    const peers = [await Peer.connect(bed.url), await Peer.connect(bed.url)]
    for (const peer of peers) {
      peer.subscribe(candles)
      await peer.until('the answer', () => peer.of('subscribed').length > 0)
    }
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
    await waitUntil('the span', () => tracing.spans.length > 0)
    for (const peer of peers) {
      const { candle } = await peer.message('candle')
      expect(candle.close).toBe('1')
      peer.socket.terminate()
    }
    expect(tracing.spans).toMatchObject([
      {
        name: 'send stream',
        parent,
        error: undefined,
        attributes: { 'tickertape.clients': 2, 'tickertape.lost': 0 },
      },
    ])
  })

  it('ends for a client that is cut off before it has taken anything', async () => {
    const tracing = new RecordedTracing()
    await using bed = await StreamBed.over(new SampledView(), {
      tracing,
      flushMs: 0,
      socketBytes: 65_536,
      writeDeadlineMs: 200,
    })
    using slow = await Peer.connect(bed.url)
    slow.subscribe(candles)
    await slow.until('the answer', () => slow.of('subscribed').length > 0)
    slow.socket.pause()
    // So long that the buffers of the operating system are soon full.
    const indicator = 'x'.repeat(200_000)
    let windowStart = 0
    await waitUntil(
      'the client to be closed',
      async () => {
        bed.view.tellCandles({ instrumentId: btc, windowStart, close: 1, final: true, indicator })
        windowStart += 60_000
        return (await bed.metric('gateway_stream_closes_total')) > 0
      },
      { everyMs: 1 },
    )
    await waitUntil('every span to end', () => tracing.open === 0)
    const lost = tracing.spans.filter(({ error }) => error !== undefined)
    expect(lost.length).toBeGreaterThan(0)
    expect(lost[0]?.attributes).toMatchObject({ 'tickertape.lost': 1, 'tickertape.bytes': 0 })
  })
})

async function tracedServer(tracing: RecordedTracing): Promise<HttpServer> {
  return await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    tracing,
    events: createEvents({
      logger: createLogger({ service: 'test', level: 'silent' }),
      metrics: new Registry(),
      readiness: new Readiness(),
    }),
    methodsOf: () => undefined,
    register: (app) => {
      app.get('/v1/instruments/:instrumentId', () => ({}))
      return Promise.resolve()
    },
  })
}

describe('a request', () => {
  it('with a traceparent is a span of the caller’s trace, named by its route', async () => {
    const tracing = new RecordedTracing()
    await using server = await tracedServer(tracing)
    const ask = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
      await (await fetch(`${server.origin}${path}`, { headers })).text()
    }
    await ask(`/v1/instruments/${btc}`, { traceparent })
    await waitUntil('the span', () => tracing.spans.length === 1)
    await ask('/v1/nothing-of-this-name', { traceparent })
    await waitUntil('another', () => tracing.spans.length === 2)
    await ask(`/v1/instruments/${btc}`)
    await ask(`/v1/instruments/${btc}`, { traceparent: traceparent.replace(/01$/, '00') })
    await ask(`/v1/instruments/${btc}`, { traceparent })
    await waitUntil('the last', () => tracing.spans.length === 3)
    expect(tracing.spans.map(({ name, kind, parent: of }) => [name, kind, of])).toEqual([
      ['GET /v1/instruments/:instrumentId', 'server', parent],
      ['GET', 'server', parent],
      ['GET /v1/instruments/:instrumentId', 'server', parent],
    ])
  })
})
