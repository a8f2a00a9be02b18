import { integerSetting } from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import type { MemoryLimits } from './market-memory.ts'

export const marketViewSettings = {
  GATEWAY_HELD_CANDLES: integerSetting({
    default: '300',
    min: 1,
    max: 5_000,
    about:
      'Closed candles of each instrument and interval that are held in memory; older ones are read from the database',
  }),
  GATEWAY_CANDLE_TEXT_BYTES: integerSetting({
    default: '33554432',
    about:
      'Bytes of JSON that are kept of closed candles that were asked for; the others are held packed',
  }),
  GATEWAY_HELD_TRADES: integerSetting({
    default: '100',
    min: 1,
    max: 5_000,
    about: 'Trades of each instrument that are held in memory',
  }),
  GATEWAY_KNOWN_TRADES: integerSetting({
    default: '1000',
    min: 1,
    about:
      'How many of the latest trades of an instrument are known again at least, as ingest replicas and restarts send them twice',
  }),
  GATEWAY_BACKLOG_UPDATES: integerSetting({
    default: '50000',
    min: 1,
    about: 'Updates of each partition of a topic that clients can resume from',
  }),
  GATEWAY_BACKLOG_BYTES: integerSetting({
    default: '4194304',
    min: 1_024,
    about: 'Bytes of these updates, of each partition of a topic',
  }),
  GATEWAY_FUTURE_TOLERANCE_MS: integerSetting({
    default: '5000',
    about:
      'A trade or heartbeat further ahead of its receive time than this counts for nothing: as AGGREGATOR_FUTURE_TOLERANCE_MS',
  }),
} as const

export function memoryLimits(values: SettingValues<typeof marketViewSettings>): MemoryLimits {
  return {
    candles: values.GATEWAY_HELD_CANDLES,
    candleTextBytes: values.GATEWAY_CANDLE_TEXT_BYTES,
    trades: values.GATEWAY_HELD_TRADES,
    tradeIdentities: values.GATEWAY_KNOWN_TRADES,
    backlog: { updates: values.GATEWAY_BACKLOG_UPDATES, bytes: values.GATEWAY_BACKLOG_BYTES },
    futureToleranceMs: values.GATEWAY_FUTURE_TOLERANCE_MS,
  }
}
