import type { Channel, ServerMessage, StreamErrorCode } from '@tickertape/market-api'

import type { EncodedCandle, EncodedStats, EncodedTrade } from '../market-view.ts'

// Resources are JSON already, encoded once by the view: a message is text around them.

export function candleText({ json }: EncodedCandle): string {
  return `{"type":"candle","candle":${json}}`
}

export function tradeText({ json }: EncodedTrade): string {
  return `{"type":"trade","trade":${json}}`
}

export function statsText({ of, json }: EncodedStats): string {
  return `{"type":"stats","of":"${of}","stats":${json}}`
}

/** Any message but those that carry resources. */
export function plainText(
  message: Exclude<ServerMessage, { type: 'candle' | 'trade' | 'stats' | 'snapshot' }>,
): string {
  return JSON.stringify(message)
}

export function errorText(code: StreamErrorCode, id: string | null, message: string): string {
  return plainText({ type: 'error', id, code, message })
}

/** Length from which on a part of a snapshot takes no further resource. */
const partLength = 32_768

/** The parts of a snapshot, the last of which says so; one at least. */
export function* snapshotTexts(
  id: string,
  channel: Channel,
  resources: readonly { readonly json: string }[],
): Generator<string> {
  const begin = `{"type":"snapshot","id":${JSON.stringify(id)},"${channel}":[`
  let part: string[] = []
  let length = 0
  for (const { json } of resources) {
    if (length >= partLength) {
      yield `${begin}${part.join(',')}],"last":false}`
      part = []
      length = 0
    }
    part.push(json)
    length += json.length
  }
  yield `${begin}${part.join(',')}],"last":true}`
}
