import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { contextOf, traceFields, traceparentOf, withTraceparent } from './span-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const sampled = `00-${traceId}-${spanId}-01`

function of(traceparent: string) {
  return contextOf([{ traceparent }])
}

describe('the context of a record', () => {
  it('is what its header says, as text or as bytes', () => {
    expect(of(sampled)).toEqual({ traceId, spanId })
    expect(contextOf([{ traceparent: Buffer.from(sampled) }])).toEqual({ traceId, spanId })
  })

  it('is that of the last header of the name', () => {
    const other = `00-${traceId}-${'1'.repeat(16)}-01`
    expect(contextOf([{ traceparent: other }, { x: 'y' }, { traceparent: sampled }])?.spanId).toBe(
      spanId,
    )
  })

  it('keeps the tracestate', () => {
    expect(contextOf([{ traceparent: sampled }, { tracestate: Buffer.from('a=1,b=2') }])).toEqual({
      traceId,
      spanId,
      traceState: 'a=1,b=2',
    })
  })

  it('takes a later version, whatever it adds', () => {
    expect(of(`01-${traceId}-${spanId}-03-what-comes`)).toEqual({ traceId, spanId })
  })

  it.each([
    ['not sampled', `00-${traceId}-${spanId}-00`],
    ['no trace', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['no span', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['the version that is none', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `${sampled}-x`],
    ['upper case', sampled.toUpperCase()],
    ['too short', sampled.slice(0, -1)],
    ['too long', `${sampled}${'0'.repeat(1_000)}`],
    ['nothing', ''],
  ])('is none with %s', (_why, header) => {
    expect(of(header)).toBeUndefined()
  })

  it('is none without the header', () => {
    expect(contextOf(undefined)).toBeUndefined()
    expect(contextOf([{ other: sampled }])).toBeUndefined()
  })

  it('is none, and no error, for whatever else is in the header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(contextOf([{ traceparent: Buffer.from(bytes) }])).toBeUndefined()
      }),
    )
  })
})

describe('the header of a record', () => {
  it('is read as it was written', () => {
    const context = { traceId, spanId, traceState: 'a=1' }
    expect(traceparentOf(context)).toBe(sampled)
    expect(contextOf(withTraceparent([], context))).toEqual(context)
  })

  it('takes the place of an older one and of no other', () => {
    const before = [{ a: '1' }, { traceparent: 'x' }, { tracestate: 'y' }, { b: '2' }]
    expect(withTraceparent(before, { traceId, spanId })).toEqual([
      { a: '1' },
      { b: '2' },
      { traceparent: sampled },
    ])
  })
})

it('a log line of a sampled record names trace and span, another one has no such field', () => {
  expect(traceFields({ traceId, spanId })).toEqual({ trace_id: traceId, span_id: spanId })
  expect(traceFields(undefined)).toEqual({})
})
