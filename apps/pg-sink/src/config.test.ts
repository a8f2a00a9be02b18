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
