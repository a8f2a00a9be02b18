import {
  bearerSubprotocolPrefix,
  candle,
  closeCodes,
  instrumentStats,
  pairStats,
  ping,
  serverMessages,
  streamProtocol,
  streamSubprotocol,
  subscribe,
  tokenStats,
  trade,
  unsubscribe,
} from '@tickertape/market-api'
import { z } from 'zod'

import { streamPath } from './handshake.ts'

/** What clients send, and what the gateway sends; each schema has an id, under which it is described. */
const clientSchemas = [subscribe, unsubscribe, ping]
const serverSchemas = Object.values(serverMessages)
const resourceSchemas = [candle, trade, instrumentStats, pairStats, tokenStats]

const about = `Candles, trades and statistics as they change.

A client sends one message in a text frame, a JSON object. The gateway sends frames that hold a JSON array of
messages. A subscription is answered by \`subscribed\`, a snapshot in one or more parts, and then the stream, with
neither a hole nor a double; or, if it goes on from a position, by what came since. A revision of a closed candle
comes as a candle of the past. A client that reads slowly gets of each open candle and each statistic only the
latest; finals and trades are never left out: where they cannot be kept any longer the connection is closed.

\`cursor\` says that everything before its position has been sent: whoever comes again sends it as \`resume\`.

Clients that offer a subprotocol offer \`${streamSubprotocol}\`. A browser sends its key or token as a second one,
\`${bearerSubprotocolPrefix}<key or token>\`; others by the header Authorization.`

const closes = `Close codes besides the standard ones (1001: the gateway ends, come again with the cursor; 1009: the message is too
long): ${Object.entries(closeCodes)
  .map(([reason, code]) => `${code} ${reason}`)
  .join(', ')}.`

/**
 * The stream as an AsyncAPI 3.0 document, made from the schemas that the gateway reads with and tests hold it to.
 * It names no server: it is true of the one that it was read from.
 *
 * @param version of the API.
 */
export function asyncApiDocument(version: string) {
  const schemas = jsonSchemas()
  const sent = serverSchemas.map(idOf)
  const received = clientSchemas.map(idOf)
  const names = [...received, ...sent]
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tickertape stream', version, description: about },
    defaultContentType: 'application/json',
    channels: {
      stream: {
        address: streamPath,
        description: `Protocol ${streamProtocol}. ${closes}`,
        messages: byName(names, (name) => ref('messages', name)),
        bindings: { ws: { method: 'GET' } },
      },
    },
    operations: {
      receiveFromClient: {
        action: 'receive',
        channel: { $ref: '#/channels/stream' },
        summary: 'What a client sends, one message in a frame',
        messages: received.map(ofChannel),
      },
      sendToClient: {
        action: 'send',
        channel: { $ref: '#/channels/stream' },
        summary: 'What the gateway sends, an array of messages in a frame',
        messages: sent.map(ofChannel),
      },
    },
    components: {
      messages: byName(names, (name) => ({ name, payload: ref('schemas', name) })),
      schemas,
    },
  }
}

function jsonSchemas(): Readonly<Record<string, object>> {
  const registry = z.registry<z.core.GlobalMeta & { id: string }>()
  for (const schema of [...clientSchemas, ...serverSchemas, ...resourceSchemas]) {
    registry.add(schema, { ...schema.meta(), id: idOf(schema) })
  }
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    // AsyncAPI's schemas are of draft 07.
    target: 'draft-7',
    // What may be left out by a client is left out of `required`.
    io: 'input',
  })
  return byName(Object.keys(schemas), (name) => {
    const { $schema: _schema, $id: _id, ...schema } = schemas[name] ?? {}
    return schema
  })
}

function idOf(schema: z.ZodType): string {
  const id = schema.meta()?.id
  if (id === undefined) throw new Error('Every schema of the stream has an id')
  return id
}

function byName<T>(
  names: readonly string[],
  make: (name: string) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(names.map((name) => [name, make(name)]))
}

function ref(kind: 'messages' | 'schemas', name: string) {
  return { $ref: `#/components/${kind}/${name}` }
}

function ofChannel(name: string) {
  return { $ref: `#/channels/stream/messages/${name}` }
}
