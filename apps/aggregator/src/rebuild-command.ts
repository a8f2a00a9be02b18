import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import {
  DecodeFailure,
  Deserializer,
  EventProducer,
  Registry,
  Serializer,
  committedOffsets,
  readPartition,
  requireTopics,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { KafkaConnection } from '@tickertape/kafka-avro'
import type { Rebuild } from '@tickertape/market-model'
import { kafkaAccess, registryAccess } from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

import type { rebuildSettings } from './config.ts'
import { firstAppendedSince } from './rebuild-range.ts'
import { RebuiltCandles } from './rebuilt-candles.ts'

/** What was asked for cannot be done; the message is for the user. */
export class RebuildProblem extends Error {
  override readonly name = 'RebuildProblem'
}

/** Event times in ms; windows inside are computed again. */
export interface RebuildRange {
  readonly fromTime: number
  readonly toTime: number
}

type RebuildValues = SettingValues<typeof rebuildSettings>

const usage =
  'npm run rebuild -- --from <time> [--to <time>], with times like 2026-01-05T00:00:00Z or milliseconds since 1970'

const progressMs = 2_000

/** @throws RebuildProblem that says how the command is used. */
export function parseRebuildArguments(args: readonly string[], now: number): RebuildRange {
  let values: { readonly from?: string | undefined; readonly to?: string | undefined }
  try {
    const options = { from: { type: 'string' }, to: { type: 'string' } } as const
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new RebuildProblem(`${why}. Usage: ${usage}`, { cause: error })
  }
  if (values.from === undefined) throw new RebuildProblem(`--from is missing. Usage: ${usage}`)
  const fromTime = parseTime('--from', values.from)
  const toTime = values.to === undefined ? now : parseTime('--to', values.to)
  if (fromTime >= toTime) {
    throw new RebuildProblem(
      `--from ${iso(fromTime)} is not before ${values.to === undefined ? 'now' : '--to'} ${iso(toTime)}`,
    )
  }
  return { fromTime, toTime }
}

/**
 * Asks the aggregator to compute candles again, by a record in each partition of the log, and waits until it
 * has.
 *
 * @param signal stops the waiting; the rebuild itself goes on.
 * @throws RebuildProblem if the log does not reach back far enough: nothing is written then.
 */
export async function requestRebuild(
  values: RebuildValues,
  range: RebuildRange,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { TOPIC_PREFIX: prefix } = values
  const connection = kafkaAccess(values)
  await requireTopics(connection, prefix, ['market-events', 'candles'])
  const topic = topicName('market-events', prefix)
  const beginnings = await Promise.all(
    (await topicOffsets(connection, topic)).map((log) => beginningOf(values, log, range, write)),
  )
  const registry = new Registry(registryAccess(values), prefix)
  const rebuilt = await RebuiltCandles.open(connection, prefix, registry)
  write(`Asking for the candles of ${iso(range.fromTime)} to ${iso(range.toTime)} …`)
  const ids = await append(values, registry, range, beginnings)
  for (const [partition, id] of ids) write(`  partition ${partition}: rebuildId ${id}`)
  const groupId = prefix + values.AGGREGATOR_GROUP_ID
  const isDone = await waitForRebuild({ connection, topic, groupId, ids }, rebuilt, write, signal)
  if (!isDone) {
    write('No longer waiting. The rebuild itself goes on; its records are in the log.')
    return
  }
  write('Done:')
  for (const [partition, id] of ids) {
    write(`  partition ${partition}: ${rebuilt.describe(partition, id)}`)
  }
}

interface Beginning {
  readonly partition: number
  readonly fromOffset: number
  /** End of the partition before the request. */
  readonly end: number
}

/** Where a partition's rebuild reads from: a margin before the range, for what the first windows go on from. */
async function beginningOf(
  values: RebuildValues,
  log: { readonly partition: number; readonly low: number; readonly high: number },
  { fromTime }: RebuildRange,
  write: (line: string) => void,
): Promise<Beginning> {
  const { TOPIC_PREFIX: prefix, REBUILD_MARGIN_MS: marginMs } = values
  const connection = kafkaAccess(values)
  const topic = topicName('market-events', prefix)
  const { partition, low, high } = log
  const found = await firstAppendedSince(connection, topic, log, fromTime - marginMs)
  if (found.oldestAppended !== undefined && low > 0) {
    if (found.oldestAppended > fromTime) {
      throw new RebuildProblem(
        `${topic} [${partition}] begins at offset ${low}, appended at ${iso(found.oldestAppended)}: records before it are deleted, and candles from ${iso(fromTime)} cannot be computed again. The earliest --from is ${iso(found.oldestAppended)}; the topic's retention decides`,
      )
    }
    if (found.oldestAppended > fromTime - marginMs) {
      write(
        `  partition ${partition}: the log begins only ${Math.round((fromTime - found.oldestAppended) / 1000)} s before --from, less than the margin of ${marginMs / 1000} s: moving averages and the quality of the first windows may differ`,
      )
    }
  }
  return { partition, fromOffset: found.offset, end: high }
}

/** @returns the offset of each partition's Rebuild record. */
async function append(
  values: RebuildValues,
  registry: Registry,
  range: RebuildRange,
  beginnings: readonly Beginning[],
): Promise<ReadonlyMap<number, number>> {
  const { TOPIC_PREFIX: prefix } = values
  const connection = kafkaAccess(values)
  const topic = topicName('market-events', prefix)
  const serializer = new Serializer('market-events', await registry.register('market-events'))
  const requestedAt = Date.now()
  {
    await using producer = await EventProducer.open({ connection, clientId: 'rebuild' })
    for (const { partition, fromOffset } of beginnings) {
      const value: Rebuild = { ...range, fromOffset, requestedAt }
      const bytes = serializer.serialize({ type: 'Rebuild', value })
      producer.produce({ topic, partition, key: null, value: bytes })
    }
    await producer.acknowledged()
  }
  const ids = beginnings.map(async ({ partition, end }) => {
    const deserializer = new Deserializer('market-events', registry)
    const batches = readPartition(
      { connection, clientId: 'rebuild' },
      { topic, partition, from: end, to: 'end' },
    )
    for await (const messages of batches) {
      await deserializer.prepare(messages.map(({ value }) => value))
      for (const { value, offset } of messages) {
        const event = deserializer.deserialize(value)
        if (event instanceof DecodeFailure || event.type !== 'Rebuild') continue
        const { requestedAt: at, fromTime, toTime } = event.value
        const isOurs = at === requestedAt && fromTime === range.fromTime && toTime === range.toTime
        if (isOurs) return [partition, offset] as const
      }
    }
    throw new Error(`The record that was written to ${topic} [${partition}] is not there`)
  })
  return new Map(await Promise.all(ids))
}

/** @returns false if the signal ended the waiting. */
async function waitForRebuild(
  request: {
    readonly connection: KafkaConnection
    readonly topic: string
    readonly groupId: string
    readonly ids: ReadonlyMap<number, number>
  },
  rebuilt: RebuiltCandles,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { connection, topic, groupId, ids } = request
  let told = ''
  for (;;) {
    const committed = await committedOffsets(connection, groupId, topic)
    await rebuilt.readOn()
    const states = [...ids].map(([partition, id]) => {
      const position = committed.get(partition)
      const candles = rebuilt.count(partition, id)
      if (position === undefined) return `${partition}: group ${groupId} has read nothing yet`
      if (position < id) return `${partition}: ${id - position} records before it`
      return `${partition}: ${position > id ? 'done, ' : ''}${candles} candles`
    })
    const line = `  ${states.join(' · ')}`
    if (line !== told) write(line)
    told = line
    if ([...ids].every(([partition, id]) => (committed.get(partition) ?? 0) > id)) return true
    await delay(progressMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return false
  }
}

function parseTime(option: string, text: string): number {
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isSafeInteger(time)) return time
  throw new RebuildProblem(`${option} must be a time, got "${text}". Usage: ${usage}`)
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
