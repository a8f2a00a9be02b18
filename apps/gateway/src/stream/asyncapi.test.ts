import specifications from '@asyncapi/specs'
import { clientMessage, serverMessage, serverMessages } from '@tickertape/market-api'
import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import { describe, expect, it } from 'vitest'

import { asyncApiDocument } from './asyncapi.ts'

const document = asyncApiDocument('0.1.0')

// To compile the specification takes seconds.
it('is a document of AsyncAPI 3.0', { timeout: 60_000 }, () => {
  const specification: Record<string, unknown> = { ...specifications.schemas['3.0.0'] }
  // It brings JSON Schema's own schema along, and uses formats and keywords that only annotate.
  const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false })
  const validate = ajv.compile(specification)
  validate(document)
  expect(validate.errors).toBeNull()
})

it('refers to nothing that it does not hold', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, ref]) => ref ?? '',
  )
  expect(refs.length).toBeGreaterThan(30)
  for (const ref of refs) {
    const target = ref
      .split('/')
      .slice(1)
      .reduce<unknown>((at, part) => Object(at)[part], document)
    expect(target, ref).toBeDefined()
  }
})

it('describes every message that the gateway sends', () => {
  expect(document.operations.sendToClient.messages).toHaveLength(Object.keys(serverMessages).length)
})

describe('its schemas and those that the gateway reads with agree', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'stream', components: document.components })
  const validatorOf = (name: string): ValidateFunction =>
    ajv.compile({ $ref: `stream#/components/schemas/${name}` })

  it.each([
    [
      'Subscribe',
      { type: 'subscribe', id: 'a', channel: 'candles', instruments: ['*'], intervals: ['1m'] },
      true,
    ],
    [
      'Subscribe',
      { type: 'subscribe', id: 'a', channel: 'candles', instruments: ['*'], intervals: ['2m'] },
      false,
    ],
    [
      'Subscribe',
      { type: 'subscribe', id: 'a', channel: 'stats', of: 'tokens', span: '5m', names: ['BTC'] },
      true,
    ],
    ['Subscribe', { type: 'subscribe', id: '', channel: 'trades', instruments: ['*'] }, false],
    ['Unsubscribe', { type: 'unsubscribe' }, false],
    ['Ping', { type: 'ping' }, true],
  ])('%s %j', (name, message, isValid) => {
    expect(clientMessage.safeParse(message).success).toBe(isValid)
    expect(validatorOf(name)(message)).toBe(isValid)
  })

  it.each([
    ['Cursor', { type: 'cursor', position: '1-0-0' }, true],
    ['Cursor', { type: 'cursor', position: 'not one' }, false],
    ['StreamError', { type: 'error', id: null, code: 'invalid_message', message: 'm' }, true],
    ['StreamError', { type: 'error', id: null, code: 'oops', message: 'm' }, false],
    ['Heartbeat', { type: 'heartbeat', at: 1.5 }, false],
  ])('%s %j', (name, message, isValid) => {
    expect(serverMessage.safeParse(message).success).toBe(isValid)
    expect(validatorOf(name)(message)).toBe(isValid)
  })
})
