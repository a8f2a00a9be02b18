import { DecodeFailure, topicName } from '@tickertape/kafka-avro'
import type { Deserializer } from '@tickertape/kafka-avro'
import type { ChangelogState, StoredWindowRecord } from '@tickertape/candles'
import type { InstrumentState, PartitionState } from '@tickertape/market-model'

import { parseChangelogKey } from './changelog-key.ts'
import type { AggregatorConfig } from './config.ts'
import { readRange } from './partition-range.ts'
import { StateMismatch } from './state-mismatch.ts'

/** Windows stay bytes: a million of them are taken over without being decoded. */
export interface ReadChangelog extends ChangelogState {
  readonly instruments: readonly InstrumentState[]
  readonly windowCount: number
}

/**
 * The latest state of one partition, with every transaction seen that was open at the call.
 *
 * @param deserializer knows, afterwards, the schemas of all windows that are returned.
 * @throws StateMismatch if a record cannot be read: state must not be guessed.
 * @throws the signal's reason once it is aborted.
 */
export async function readChangelog(
  config: AggregatorConfig,
  deserializer: Deserializer<'aggregator-state'>,
  partition: number,
  signal: AbortSignal,
): Promise<ReadChangelog> {
  const topic = topicName('aggregator-state', config.kafka.topicPrefix)
  const instruments = new Map<string, InstrumentState>()
  const windows = new Map<string, Uint8Array>()
  let own: PartitionState | undefined
  const range = { topic, partition, from: 'earliest', to: 'end' } as const
  for await (const messages of readRange(config, 'restore', range)) {
    signal.throwIfAborted()
    await deserializer.prepare(messages.map(({ value }) => value))
    for (const { key, value, offset } of messages) {
      const name = String(key)
      // Nearly all records are windows: the others have no bar in their keys, or a name with two.
      const { kind } = parseChangelogKey(name)
      if (kind === 'window') {
        // A small copy, in Node's pool: what the client hands out may keep a whole fetch in memory.
        if (value === null) windows.delete(name)
        else windows.set(name, Buffer.from(value))
        continue
      }
      if (value === null) {
        instruments.delete(name)
        continue
      }
      const state = deserializer.deserialize(value)
      if (state instanceof DecodeFailure) {
        throw new StateMismatch(
          `State in ${topic} [${partition}] at offset ${offset} cannot be read (${state.message}): another version wrote it; run that version, or compute anew from the log`,
        )
      }
      if (state.type === 'PartitionState') own = state.value
      else if (state.type === 'InstrumentState') instruments.set(name, state.value)
    }
  }
  return {
    partition: own,
    instruments: [...instruments.values()],
    windows: windowsOf(windows),
    windowCount: windows.size,
  }
}

function* windowsOf(values: ReadonlyMap<string, Uint8Array>): Generator<StoredWindowRecord> {
  for (const [name, value] of values) {
    const key = parseChangelogKey(name)
    if (key.kind !== 'window') continue
    const { instrumentId, interval, windowStart } = key
    yield { instrumentId, interval, windowStart, value }
  }
}
