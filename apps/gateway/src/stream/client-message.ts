import { ping, subscribe, unsubscribe } from '@tickertape/market-api'
import type { ClientMessage } from '@tickertape/market-api'
import type { z } from 'zod'

export type ReadMessage =
  | { readonly read: true; readonly message: ClientMessage }
  | {
      readonly read: false
      /** The subscription that it seems to be about. */
      readonly id: string | null
      /** What is wrong and what is expected. */
      readonly problem: string
    }

const schemas: Readonly<Record<string, z.ZodType<ClientMessage>>> = { subscribe, unsubscribe, ping }

/** How many problems of one message are told. */
const toldIssues = 5

/** Reads what a client sent in one text frame. */
export function readClientMessage(text: string): ReadMessage {
  let sent: unknown
  try {
    sent = JSON.parse(text)
  } catch {
    return { read: false, id: null, problem: 'The message is not JSON: send one object in a frame' }
  }
  const type = stringOf(sent, 'type')
  const schema = type !== undefined && Object.hasOwn(schemas, type) ? schemas[type] : undefined
  const id = subscriptionIdOf(sent)
  if (schema === undefined) {
    const problem = 'type must be subscribe, unsubscribe or ping; /v1/asyncapi.json describes them'
    return { read: false, id, problem }
  }
  const result = schema.safeParse(sent)
  if (result.success) return { read: true, message: result.data }
  const told = result.error.issues
    .slice(0, toldIssues)
    .map(({ path, message }) => `${path.length === 0 ? 'the message' : path.join('.')}: ${message}`)
  const more = result.error.issues.length - told.length
  const problem = `${told.join('; ')}${more > 0 ? `; and ${more} more problems` : ''}`
  return { read: false, id, problem: `${type} cannot be used: ${problem}` }
}

function subscriptionIdOf(sent: unknown): string | null {
  const id = stringOf(sent, 'id')
  return id !== undefined && id.length > 0 && id.length <= 64 ? id : null
}

function stringOf(sent: unknown, name: string): string | undefined {
  if (typeof sent !== 'object' || sent === null) return undefined
  // Object.entries would be slower on a message of many names; the value is looked at before it is used.
  const value = (sent as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : undefined
}
