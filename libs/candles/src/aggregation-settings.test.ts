import type { InstrumentState, PartitionState } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import type { AggregationSettings } from './aggregation-settings.ts'
import { AggregationSettingsError } from './aggregation-settings.ts'
import { epoch, heartbeat, tradeEvent } from './market-logs.ts'
import { memoryCodec } from './memory-codec.ts'
import { PartitionAggregation } from './partition-aggregation.ts'

const settings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 3_600_000,
  intervals: ['1s', '1m'],
  indicators: ['close:span=12'],
}

function restore(
  own: AggregationSettings,
  partition: PartitionState | undefined,
  instruments: readonly InstrumentState[],
): PartitionAggregation {
  return PartitionAggregation.restore(own, memoryCodec(), { partition, instruments, windows: [] })
}

function refusal(action: () => unknown): { readonly code: string; readonly message: string } {
  try {
    action()
  } catch (error) {
    if (error instanceof AggregationSettingsError) return error
    throw error
  }
  throw new Error('It was not refused')
}

describe('settings that cannot be used are refused', () => {
  test.each<[string, Partial<AggregationSettings>, string]>([
    ['interval-tree', { intervals: [] }, 'got none'],
    ['interval-tree', { intervals: ['1m'] }, 'got 1m'],
    ['interval-tree', { intervals: ['1s', '5m'] }, 'got 1s, 5m'],
    ['interval-tree', { intervals: ['1m', '1s'] }, 'the beginning of 1s, 1m, 5m'],
    ['duration', { graceMs: -1 }, 'graceMs must be a non-negative integer of milliseconds, got -1'],
    ['duration', { futureToleranceMs: 0.5 }, 'futureToleranceMs'],
    ['duration', { quietSpanMs: NaN }, 'quietSpanMs'],
    ['step', { maxCandlesPerStep: 0 }, 'maxCandlesPerStep must be a positive integer, got 0'],
    ['indicator', { indicators: ['close:span=0'] }, 'it must be that span >= 1'],
    ['duration', { horizonMs: -1 }, 'horizonMs'],
    ['duration', { gapSpanMs: 1.5 }, 'gapSpanMs'],
    ['step', { maxReplayedRecords: 0 }, 'maxReplayedRecords must be a positive integer, got 0'],
    ['indicator', { indicators: ['close:com=1', 'close:com=1'] }, '"close:com=1" is given twice'],
  ])('%s: %o', (code, wrong, message) => {
    const error = refusal(() => new PartitionAggregation({ ...settings, ...wrong }, memoryCodec()))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
  })
})

describe('a changelog that was written with other settings is refused', () => {
  const { partition } = new PartitionAggregation(settings, memoryCodec()).takeChanges(0)

  test.each<[Partial<AggregationSettings>, string]>([
    [{ graceMs: 2_000 }, 'graceMs is 2000, was 1000'],
    [{ futureToleranceMs: 1 }, 'futureToleranceMs is 1, was 5000'],
    [{ quietSpanMs: 60_000 }, 'quietSpanMs is 60000, was 86400000'],
    [{ horizonMs: 0 }, 'horizonMs is 0, was 3600000'],
    [{ gapSpanMs: 1 }, 'gapSpanMs is 1, was 86400000'],
    [{ intervals: ['1s'] }, 'intervals is 1s, was 1s,1m'],
    [{ indicators: [] }, 'indicators is none, was close:span=12'],
  ])('%o', (other, message) => {
    const error = refusal(() => restore({ ...settings, ...other }, partition, []))
    expect(error.code).toBe('settings-changed')
    expect(error.message).toContain(message)
  })

  test('the size of a step is no part of the result, and may change', () => {
    const other = { ...settings, maxCandlesPerStep: 1 }
    expect(() => restore(other, partition, [])).not.toThrow()
  })
})

test('instruments without the state of their partition are a changelog with holes', () => {
  const aggregation = new PartitionAggregation(settings, memoryCodec())
  aggregation.apply(tradeEvent({ sequence: 1 }), 0)
  aggregation.apply(heartbeat(epoch + 10_000), 1)
  const { instruments } = aggregation.takeChanges(2)
  expect(instruments).toHaveLength(1)
  expect(() => restore(settings, undefined, instruments)).toThrow('deribit:BTC')
})
