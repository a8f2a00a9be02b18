import { maxRecordBytes } from './connection.ts'

/** The topics of the system, without the prefix that separates installations on one cluster. */
export const topics = [
  'market-events',
  'candles',
  'candles-live',
  'aggregator-state',
  'feed-cursors',
  'rejected',
] as const

export type Topic = (typeof topics)[number]

export function topicName(topic: Topic, prefix: string): string {
  return prefix + topic
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * Event times can be years old (replays, imports): with the producer's timestamps the broker would
 * delete such records within minutes, so retention goes by the time of appending.
 */
const retained = (retentionMs: number) => ({
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'LogAppendTime',
  'retention.ms': String(retentionMs),
})

/**
 * The segment that is being written is never compacted: with the broker's 1 GiB and 7 days a restore would
 * read a week of changes for an hour of windows.
 */
const compacted = {
  'cleanup.policy': 'compact',
  'segment.bytes': String(64 * 1024 * 1024),
  'segment.ms': String(hourMs),
  'min.cleanable.dirty.ratio': '0.3',
}

export const topicSettings: Readonly<Record<Topic, Readonly<Record<string, string>>>> = {
  'market-events': retained(7 * dayMs),
  candles: retained(7 * dayMs),
  'candles-live': { ...retained(10 * 60_000), 'segment.ms': String(10 * 60_000) },
  'aggregator-state': compacted,
  'feed-cursors': compacted,
  rejected: { ...retained(28 * dayMs), 'max.message.bytes': String(maxRecordBytes) },
}

/** Partitions of a new installation. Another count is a new generation of topics. */
export const defaultPartitions = 4
