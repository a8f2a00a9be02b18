import { defaultPartitions, partitionOf } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import type { IngestRun } from './ingest-run.ts'
import { sequenceOf } from './log-facts.ts'
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
  const own = recordsOf(records, instrumentId)
  for (const gap of everyGap(own)) {
    const isOwn = gap.instrumentId === instrumentId
    const known = latest.get(gap.gapId)
    if (isOwn || (gap.instrumentId === null && (known?.instrumentId ?? null) === null)) {
      latest.set(gap.gapId, gap)
    }
  }
  const gaps = [...latest.values()]
  // A test asks again and again of a long log, in the process that plays the venue too.
  if (!gaps.some(({ state }) => state === 'open')) return gaps
  const told = sequencesIn(own, instrumentId)
  return gaps.map((gap) => (isVoid(gap, told) ? { ...gap, state: 'backfilled' } : gap))
}

/** The gaps that have to do with an instrument, once none of them is open any more. */
export async function gapsOnceClosed(
  run: IngestRun,
  instrumentId: string,
): Promise<readonly SequenceGap[]> {
  return await waitUntil(
    `every gap of ${instrumentId} to be closed`,
    async () => {
      const gaps = gapsOf(await run.records(), instrumentId)
      return gaps.every(({ state }) => state !== 'open') && gaps
    },
    { withinMs: 120_000, everyMs: 500 },
  )
}

/**
 * Whether a gap was ever announced in which these trades lie: by their sequences, or by their times. A later
 * version has the time of its trade, which is not that at which it was left out.
 */
export function announces(records: readonly LogRecord[], skipped: SkippedTrades): boolean {
  const { fromSequence, instrument, toSequence, venue } = skipped
  const instrumentId = instrumentIdOf({ venue, instrument })
  const own = recordsOf(records, instrumentId)
  const gaps = everyGap(own).filter(
    (gap) => gap.instrumentId === null || gap.instrumentId === instrumentId,
  )
  return own.every(({ value: { type, value } }) => {
    if (type !== 'Trade' || instrumentIdOf(value) !== instrumentId) return true
    const sequence = sequenceOf(value)
    if (sequence === null || value.version > 0) return true
    if (sequence < fromSequence || sequence > toSequence) return true
    return gaps.some((gap) => lies({ eventTime: value.eventTime, sequence }, gap))
  })
}

/**
 * Sequences that the log goes past though they are neither in it yet nor in a gap that it announced
 * before. What the history brings before the log goes past it was missed by nobody.
 */
export function unannouncedJumps(
  records: readonly LogRecord[],
  instrumentId: string,
): readonly string[] {
  const jumps: string[] = []
  const gaps: SequenceGap[] = []
  let highest: number | undefined
  let at: number | undefined
  for (const { offset, value } of recordsOf(records, instrumentId)) {
    if (value.type === 'SequenceGap') gaps.push(value.value)
    if (value.type !== 'Trade' || instrumentIdOf(value.value) !== instrumentId) continue
    const { eventTime } = value.value
    const sequence = sequenceOf(value.value)
    if (sequence === null) continue
    for (let missing = (highest ?? sequence) + 1; missing < sequence; missing += 1) {
      // Its own time is not known: it lies between those around it.
      const isAnnounced = gaps.some(
        (gap) =>
          lies({ eventTime, sequence: missing }, gap) ||
          lies({ eventTime: at ?? eventTime, sequence: missing }, gap),
      )
      if (!isAnnounced) jumps.push(`${instrumentId} ${missing}, at offset ${offset}`)
    }
    if (sequence > (highest ?? 0)) {
      highest = sequence
      at = eventTime
    }
  }
  return jumps
}

/** A gap whose sequences have all come is filled, whether or not whoever announced it lives to say so. */
function isVoid(
  { fromSequence, state, toSequence }: SequenceGap,
  told: ReadonlySet<number>,
): boolean {
  if (state === 'backfilled' || fromSequence === null || toSequence === null) return false
  for (let each = fromSequence; each <= toSequence; each += 1) if (!told.has(each)) return false
  return true
}

function sequencesIn(records: readonly LogRecord[], instrumentId: string): ReadonlySet<number> {
  const told = new Set<number>()
  for (const { value } of records) {
    if (value.type !== 'Trade' || instrumentIdOf(value.value) !== instrumentId) continue
    const sequence = sequenceOf(value.value)
    if (sequence !== null) told.add(sequence)
  }
  return told
}

function lies(
  { eventTime, sequence }: { readonly eventTime: number; readonly sequence: number },
  { fromSequence, fromTime, toSequence, toTime }: SequenceGap,
): boolean {
  return fromSequence === null || toSequence === null
    ? fromTime <= eventTime && eventTime < toTime
    : fromSequence <= sequence && sequence <= toSequence
}

/** What a reader of the instrument reads; gaps of the whole feed are in every partition. */
function recordsOf(records: readonly LogRecord[], instrumentId: string): readonly LogRecord[] {
  const own = partitionOf(instrumentId, defaultPartitions)
  return records.filter(({ partition }) => partition === own)
}

export function everyGap(records: readonly LogRecord[]): readonly SequenceGap[] {
  return records.flatMap(({ value }) => (value.type === 'SequenceGap' ? [value.value] : []))
}
