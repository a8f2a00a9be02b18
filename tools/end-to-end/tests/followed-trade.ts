import type { Trace, ZipkinSpan } from './zipkin-traces.ts'

/** One sampled trade on its whole way, each span a child of the one that it is made from. */
export interface FollowedTrade {
  readonly received: ZipkinSpan
  readonly sent: ZipkinSpan
  readonly applied: ZipkinSpan
  readonly candleSent: ZipkinSpan
  readonly tradeStored: ZipkinSpan
  readonly candleStored: ZipkinSpan
  readonly committed: ZipkinSpan
  readonly candleViewed: ZipkinSpan
  readonly streamed: ZipkinSpan
}

/** @returns undefined while any part of the way is missing. */
export function followTrade(trace: Trace): FollowedTrade | undefined {
  const received = trace.find({ service: 'ingest', name: 'receive deribit' })
  const sent = received && trace.find({ service: 'ingest', name: 'send market-events' }, received)
  const marketEvents = 'process market-events'
  const applied = sent && trace.find({ service: 'aggregator', name: marketEvents }, sent)
  const tradeStored = sent && trace.find({ service: 'pg-sink', name: marketEvents }, sent)
  if (received === undefined || sent === undefined) return undefined
  if (applied === undefined || tradeStored === undefined) return undefined
  for (const candleSent of trace.all({ service: 'aggregator', name: 'send candles' })) {
    const candle = candleSent.parentId === applied.id && followCandle(trace, candleSent)
    const committed = candle && committedBy(trace, [tradeStored, candle.candleStored])
    if (candle && committed) {
      return { received, sent, applied, candleSent, tradeStored, ...candle, committed }
    }
  }
  return undefined
}

function followCandle(
  trace: Trace,
  candleSent: ZipkinSpan,
): Pick<FollowedTrade, 'candleStored' | 'candleViewed' | 'streamed'> | undefined {
  const name = 'process candles'
  const candleStored = trace.find({ service: 'pg-sink', name }, candleSent)
  const candleViewed = trace.find({ service: 'gateway', name }, candleSent)
  const streamed =
    candleViewed && trace.find({ service: 'gateway', name: 'send stream' }, candleViewed)
  return candleStored && streamed && { candleStored, candleViewed, streamed }
}

/** A batch's commit continues its last sampled record: this trace has it where that was one of these. */
function committedBy(trace: Trace, stored: readonly ZipkinSpan[]): ZipkinSpan | undefined {
  return trace
    .all({ service: 'pg-sink', name: 'commit' })
    .find(({ parentId }) => stored.some(({ id }) => id === parentId))
}

/** The time of each hop, in ms since the frame came and as long as it took, as a table for a person. */
export function hopTimes(followed: FollowedTrade): string {
  const began = followed.received.timestamp
  const ms = (us: number): string => (us / 1_000).toFixed(1).padStart(8)
  return Object.values(followed)
    .toSorted((one: ZipkinSpan, other: ZipkinSpan) => one.timestamp - other.timestamp)
    .map(({ localEndpoint, name, timestamp, duration }: ZipkinSpan) => {
      const who = `${localEndpoint.serviceName.padEnd(11)}${name.padEnd(24)}`
      return `${who}${ms(timestamp - began)} ms ${ms(duration)} ms`
    })
    .join('\n')
}
