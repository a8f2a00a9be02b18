import { describe, expect, it } from 'vitest'

import { readOptions } from './config.ts'
import { tracingSettings } from './tracing-settings.ts'

describe('the arguments of npm start', () => {
  it('are none for the simulator alone', () => {
    expect(readOptions([])).toEqual({ venue: undefined, instruments: undefined, with: [] })
  })

  it('name what else of the stack runs', () => {
    expect(readOptions(['--with', 'zipkin'])).toMatchObject({ with: ['zipkin'] })
  })

  it.each([
    [['--with', 'jaeger'], '--with must be zipkin, got "jaeger"'],
    [['--with'], "Option '--with <value>' argument missing"],
    [['--venue', 'otc'], '--venue must be one of '],
  ])('are refused with the usage where they mean nothing: %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message)
    expect(() => readOptions(args)).toThrow(/\n\nUsage: npm start/)
  })
})

describe('settings of traces', () => {
  it('are none without Zipkin', () => {
    expect(tracingSettings('ingest', undefined)).toEqual({})
  })

  it('name Zipkin to every service, and make ingest begin traces', () => {
    const zipkin = {
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'http://127.0.0.1:1/api/v2/spans',
    }
    expect(tracingSettings('gateway', 'http://127.0.0.1:1')).toMatchObject(zipkin)
    expect(tracingSettings('gateway', 'http://127.0.0.1:1')).not.toHaveProperty(
      'INGEST_TRACE_ONE_IN',
    )
    expect(tracingSettings('ingest', 'http://127.0.0.1:1')).toMatchObject({
      ...zipkin,
      INGEST_TRACE_ONE_IN: '25',
    })
    expect(tracingSettings('market-simulator', 'http://127.0.0.1:1')).toEqual({})
  })
})
