import { expect, test } from 'vitest'
import { renderStatus } from './status-table.ts'

const addresses = {
  kafkaBrokers: '127.0.0.1:19092',
  registryUrl: 'http://127.0.0.1:18081/apis/ccompat/v7',
  databaseUrl: 'postgres://t:t@127.0.0.1:15432/t',
  zipkinUrl: 'http://127.0.0.1:19411',
}

test('what runs, what died and what was never started are told apart', () => {
  const kafka = { name: 'kafka', port: 19092, logFile: '/data/logs/kafka.log', since: 0 } as const
  const registry = { ...kafka, name: 'registry', pid: 8, running: false } as const
  const parts = [{ ...kafka, pid: 7, running: true }, registry]
  const status = { folder: '/data', mode: 'detached', addresses, parts } as const
  expect(renderStatus(status, 125_000).split('\n')).toEqual([
    '                 state        address                                 pid  for',
    'Kafka            running      127.0.0.1:19092                         7    2 min',
    'Schema registry  died         http://127.0.0.1:18081/apis/ccompat/v7',
    'PostgreSQL       not running',
    'logs: /data/logs',
  ])
})

test('Zipkin shows where it was asked for', () => {
  const part = { port: 19411, logFile: '/data/logs/zipkin.log', since: 0, pid: 9, running: true }
  const parts = [{ ...part, name: 'zipkin' as const }]
  const status = { folder: '/data', mode: 'detached', addresses, parts } as const
  expect(renderStatus(status, 1_000).split('\n')[4]).toMatch(
    /^Zipkin +running +http:\/\/127\.0\.0\.1:19411 +9 +just now$/,
  )
})
