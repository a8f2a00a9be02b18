import { describe, expect, it } from 'vitest'

import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { readConfig, settings } from './config.ts'

describe('settings of pg-sink', () => {
  it('the defaults are those of the local stack', () => {
    const config = readConfig(readSettings(settings, 'PG_SINK_', {}))
    expect(config.databaseUrl).toBe('postgres://tickertape:tickertape@127.0.0.1:15432/tickertape')
    expect(config.kafka.groupId).toBe('pg-sink')
  })

  it('the consumer group carries the topic prefix', () => {
    const config = readConfig(readSettings(settings, 'PG_SINK_', { TOPIC_PREFIX: 'blue.' }))
    expect(config.kafka.groupId).toBe('blue.pg-sink')
  })

  it('a typo in a name or a value is told, with all the others', () => {
    const environment = {
      PG_SINK_BATCH_SZIE: '10',
      PG_SINK_BATCH_WAIT_MS: '5s',
      DATABASE_URL: 'mysql://localhost/tickertape',
    }
    expect(() => readSettings(settings, 'PG_SINK_', environment)).toThrow(SettingsError)
    expect(() => readSettings(settings, 'PG_SINK_', environment)).toThrow(
      /DATABASE_URL must be an address.*PG_SINK_BATCH_WAIT_MS must be a non-negative integer, got "5s".*PG_SINK_BATCH_SZIE is no setting/s,
    )
  })
})

describe('settings that Kafka Connect’s users know', () => {
  const read = (environment: Record<string, string>) =>
    readConfig(readSettings(settings, 'PG_SINK_', environment))

  it('max retries are without end unless given', () => {
    expect(read({}).retry.maxRetries).toBe(Infinity)
    expect(read({ PG_SINK_MAX_RETRIES: '10' }).retry.maxRetries).toBe(10)
    expect(() => read({ PG_SINK_MAX_RETRIES: 'ten' })).toThrow(
      /PG_SINK_MAX_RETRIES must be empty or a non-negative integer, got "ten"/,
    )
  })

  it('topics are some of those that have tables', () => {
    expect(read({}).kafka.topics).toEqual(['market-events', 'candles', 'rejected'])
    expect(read({ PG_SINK_TOPICS: 'candles, market-events' }).kafka.topics).toEqual([
      'market-events',
      'candles',
    ])
    for (const list of ['', 'candles,trades']) {
      expect(() => read({ PG_SINK_TOPICS: list })).toThrow(/PG_SINK_TOPICS must list some of/)
    }
  })
})
