import { describe, expect, it } from 'vitest'

import { readOptions } from './config.ts'

describe('the options', () => {
  it('are the ports of npm start where nothing is said', () => {
    expect(readOptions([])).toEqual({
      once: false,
      services: [
        { name: 'ingest', url: 'http://127.0.0.1:9101' },
        { name: 'aggregator', url: 'http://127.0.0.1:9102' },
        { name: 'pg-sink', url: 'http://127.0.0.1:9103' },
        { name: 'gateway', url: 'http://127.0.0.1:9104' },
      ],
    })
  })

  it('name services elsewhere, several of a kind as well', () => {
    const options = readOptions([
      '--once',
      '--ingest',
      'http://one:9101/metrics',
      '--ingest',
      'http://two:9101',
    ])
    expect(options).toMatchObject({ once: true })
    expect(options === 'help' ? [] : options.services.slice(0, 2)).toEqual([
      { name: 'ingest', url: 'http://one:9101' },
      { name: 'ingest', url: 'http://two:9101' },
    ])
  })

  it.each([[['--gateway', 'here']], [['--sink', 'http://x']], [['now']]])(
    'that mean nothing are told with the usage: %j',
    (args) => {
      expect(() => readOptions(args)).toThrow(/Usage: npm run top/)
    },
  )
})
