import { instrumentIdOf } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'

import type { LogRecord } from './log-facts.ts'

/** What the simulator's skip fault says that it leaves out. */
export interface SkippedTrades {
  readonly venue: string
  readonly instrument: string
  readonly fromSequence: number
  readonly toSequence: number
}

/** The last word on each gap that has to do with an instrument, as the aggregator takes it. */
export function gapsOf(
  records: readonly LogRecord[],
  instrumentId: string,
): readonly SequenceGap[] {
  const latest = new Map<string, SequenceGap>()
  for (const gap of everyGap(records)) {
    const isOwn = gap.instrumentId === instrumentId
    const known = latest.get(gap.gapId)
    if (isOwn || (gap.instrumentId === null && (known?.instrumentId ?? null) === null)) {
      latest.set(gap.gapId, gap)
    }
  }
  return [...latest.values()].map((gap) =>
    isVoid(gap, records) ? { ...gap, state: 'backfilled' } : gap,
  )
}

/** A gap whose sequences have all come is filled, whether or not whoever announced it lives to say so. */
function isVoid(
  { fromSequence, instrumentId, toSequence }: SequenceGap,
  records: readonly LogRecord[],
): boolean {
  if (fromSequence === null || toSequence === null) return false
  const missing = new Set<number>()
  for (let each = fromSequence; each <= toSequence; each += 1) missing.add(each)
  for (const { value } of records) {
    if (value.type !== 'Trade' || value.value.sequence === null) continue
    if (instrumentIdOf(value.value) === instrumentId) missing.delete(value.value.sequence)
  }
  return missing.size === 0
}

/** Whether a gap was ever announced in which these trades lie: by their sequences, or by their times. */
export function announces(records: readonly LogRecord[], skipped: SkippedTrades): boolean {
  const { fromSequence, instrument, toSequence, venue } = skipped
  const instrumentId = instrumentIdOf({ venue, instrument })
  const gaps = everyGap(records).filter(
    (gap) => gap.instrumentId === null || gap.instrumentId === instrumentId,
  )
  return records.every(({ value: { type, value } }) => {
    if (type !== 'Trade' || value.sequence === null || instrumentIdOf(value) !== instrumentId) {
      return true
    }
    const { eventTime, sequence } = value
    if (sequence < fromSequence || sequence > toSequence) return true
    return gaps.some((gap) =>
      gap.fromSequence === null || gap.toSequence === null
        ? gap.fromTime <= eventTime && eventTime < gap.toTime
        : gap.fromSequence <= sequence && sequence <= gap.toSequence,
    )
  })
}

function everyGap(records: readonly LogRecord[]): readonly SequenceGap[] {
  return records.flatMap(({ value }) => (value.type === 'SequenceGap' ? [value.value] : []))
}
