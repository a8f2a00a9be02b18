import { topicName, topicOffsets } from '@tickertape/kafka-avro'
import type { Tracing } from '@tickertape/tracing'
import type {
  GroupLag,
  LogReader,
  LogRecord,
  PartitionHandlers,
  TopicPartition,
  TopicPartitionOffset,
} from '@tickertape/kafka-avro'

import { Commits } from './commits.ts'
import type { AggregatorEvents } from './events.ts'
import { InstanceFenced, isFenced } from './fencing.ts'
import type { LiveCandles } from './live-candles.ts'
import type { PartitionMeasure } from './metrics.ts'
import { OpenTradeLimit } from './open-trade-limit.ts'
import { OwnedPartition } from './owned-partition.ts'
import type { PartitionOutput, Stop } from './owned-partition.ts'
import { PartitionTraces } from './partition-traces.ts'
import { RebuildRun } from './rebuild-run.ts'
import { restorePartition } from './restore.ts'
import type { RestoreSources } from './restore.ts'
import { requireReadableLog } from './state-mismatch.ts'
import type { PartitionStanding } from './state-mismatch.ts'
import { commitOutputs } from './transaction.ts'
import type { TransactionTargets } from './transaction.ts'
import { TransactionTraces } from './transaction-traces.ts'

/** What a session opened for the work on its partitions. */
export interface WorkParts extends RestoreSources {
  readonly events: AggregatorEvents
  readonly tracing: Tracing
  readonly reader: LogReader
  /** Told of what is committed. */
  readonly lag: Pick<GroupLag, 'committed'>
  readonly targets: TransactionTargets
  /** Undefined: no candles in progress are wanted. */
  readonly live: LiveCandles | undefined
}

/**
 * Longest time that the handling of records may keep a rebalance or the end waiting, in ms; what is left
 * is done in the next turns.
 */
const turnMs = 500
/**
 * Records behind the end up to which a partition is as good as caught up: its candles go out at once, and
 * its open windows are worth showing.
 */
const nearlyCaughtUp = 5_000
/**
 * How long the first results wait for those of the other partitions, in ms. A heartbeat comes from each
 * partition by itself, mostly within 5 ms; whoever misses the transaction waits 20 to 30 ms for the next.
 */
const gatheringMs = 10
/** Transactions without candles are rarer by this: they only spare a successor some reading. */
const quietCommits = 10
/** The broker ends a transaction after this time, which fences its producer off like a successor does. */
const transactionTimeoutMs = 30_000

/**
 * The partitions of one session: takes them over, applies their records, commits what comes of them, and
 * lets them go.
 */
export class PartitionWork implements PartitionHandlers {
  readonly #parts: WorkParts
  readonly #owned = new Map<number, OwnedPartition>()
  readonly #limit: OpenTradeLimit
  readonly #paused = new Set<OwnedPartition>()
  readonly #rebuilds = new Map<OwnedPartition, RebuildRun>()
  /** Aborted when partitions are let go, which is all of them at once: rebalances are eager. */
  #ownership = new AbortController()
  readonly #commits = new Commits({
    take: () =>
      [...this.#owned.values()].filter(({ isDirty }) => isDirty).map((owned) => owned.takeOutput()),
    write: (outputs) => this.#write(outputs),
  })
  #turn = 0

  constructor(parts: WorkParts) {
    this.#parts = parts
    this.#limit = new OpenTradeLimit(parts.config.maxOpenTrades, parts.events)
  }

  /**
   * Positions are known at once, from the committed offsets. State is restored in the background, so that
   * the next rebalance need not wait for it; records that come in the meantime do.
   */
  async assigned(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    const { config, events, reader, marketEvents } = this.#parts
    const began = performance.now()
    events.partitionsAssigned(partitions.map(({ partition }) => partition))
    // Stable offsets first, then the changelog up to its end: whoever wrote before us is done by then.
    const committed = await reader.committed(partitions)
    const { connection, groupId } = config.kafka
    const eventsTopic = this.#topic('market-events')
    const logs = new Map(
      (await topicOffsets(connection, eventsTopic)).map((log) => [log.partition, log]),
    )
    const standings = committed.map(({ partition, offset }): PartitionStanding => {
      const log = logs.get(partition) ?? { low: 0, high: 0 }
      const stateTopic = this.#topic('aggregator-state')
      return { groupId, eventsTopic, stateTopic, partition, committed: offset, log }
    })
    for (const standing of standings) requireReadableLog(standing)
    this.#ownership = new AbortController()
    const restores = standings.map((standing) => {
      const { partition, committed: offset, log } = standing
      const traces = this.#partitionTraces()
      const owned = new OwnedPartition(partition, offset ?? log.low, marketEvents, traces)
      this.#owned.set(partition, owned)
      return { standing, owned }
    })
    // Its failure is kept for `process`; a revoke need not wait for it, nobody takes what it gives then.
    void this.#restore(restores, this.#ownership.signal, began)
    return restores.map(({ owned }) => ({
      topic: eventsTopic,
      partition: owned.partition,
      offset: owned.position,
    }))
  }

  async revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    this.#ownership.abort()
    if (!lost) await this.#commits.begin()
    await this.#commits.settle()
    for (const { partition } of partitions) {
      const owned = this.#owned.get(partition)
      if (owned === undefined) continue
      this.#owned.delete(partition)
      this.#paused.delete(owned)
      this.#rebuilds.delete(owned)
      this.#limit.forget(owned)
    }
    this.#parts.events.partitionsRevoked(
      partitions.map(({ partition }) => partition),
      lost,
    )
  }

  async process(records: readonly LogRecord[]): Promise<void> {
    this.#commits.throwFailure()
    if (records.length > 0) {
      await this.#parts.marketEvents.prepare(records)
      this.#deliver(records)
    }
    await this.#work(performance.now() + turnMs)
    for (const owned of this.#owned.values()) this.#parts.events.applied(owned.takeAppliedSince())
    await this.#commitIfDue()
    this.#steerReading()
    this.#parts.live?.publish(this.#livePartitions())
    this.#parts.events.tellWithheld()
  }

  /** What runs in the background ends. */
  end(): void {
    this.#ownership.abort()
    this.#commits.cancelSoon()
  }

  measure(): readonly PartitionMeasure[] {
    return [...this.#owned.values()].flatMap((owned): readonly PartitionMeasure[] => {
      const { partition, aggregation } = owned
      if (aggregation === undefined) return []
      const { openWindows, openTrades, storedWindows, instrumentCount } = aggregation
      return [
        {
          partition,
          lagRecords: this.#lag(owned),
          openWindows,
          openTrades,
          storedWindows,
          instruments: instrumentCount,
          isPaused: this.#limit.isReached(owned),
          watermarks: aggregation.watermarks(),
        },
      ]
    })
  }

  async #restore(
    restores: readonly { readonly standing: PartitionStanding; readonly owned: OwnedPartition }[],
    signal: AbortSignal,
    began: number,
  ): Promise<void> {
    try {
      const restored = await Promise.all(
        restores.map(async ({ standing, owned }) => ({
          owned,
          ...(await restorePartition(this.#parts, standing, signal)),
        })),
      )
      signal.throwIfAborted()
      // All at once: if one of them refuses, none has written anything.
      for (const { owned, aggregation, rebuild } of restored) owned.restored(aggregation, rebuild)
      const sum = (of: (counts: (typeof restored)[number]['counts']) => number) =>
        restored.reduce((total, { counts }) => total + of(counts), 0)
      this.#parts.events.partitionsRestored(
        restored.map(({ owned }) => owned.partition),
        (performance.now() - began) / 1000,
        {
          windows: sum(({ windows }) => windows),
          instruments: sum(({ instruments }) => instruments),
          replayed: sum(({ replayed }) => replayed),
        },
      )
    } catch (error) {
      if (!signal.aborted) this.#commits.fail(error)
    }
  }

  #deliver(records: readonly LogRecord[]): void {
    let owned: OwnedPartition | undefined
    for (const record of records) {
      if (owned?.partition !== record.partition) owned = this.#owned.get(record.partition)
      owned?.deliver(record)
    }
  }

  /** Each partition in its turn, beginning with another one each time. */
  async #work(until: number): Promise<void> {
    const all = [...this.#owned.values()]
    this.#turn += 1
    for (const at of all.keys()) {
      const owned = all[(this.#turn + at) % all.length]
      if (owned !== undefined) await this.#advance(owned, until)
    }
  }

  async #advance(owned: OwnedPartition, until: number): Promise<void> {
    for (;;) {
      if (this.#rebuilds.get(owned)?.emitInto(owned) === true) this.#rebuilds.delete(owned)
      const stop = owned.advance({ until, maxRecords: this.#room() })
      if (stop.kind === 'drained' || stop.kind === 'out-of-time') return
      await this.#goOn(owned, stop)
      if (performance.now() > until) return
    }
  }

  async #goOn(owned: OwnedPartition, stop: Stop): Promise<void> {
    switch (stop.kind) {
      case 'full':
        return this.#commits.begin()
      case 'needs':
        return owned.supply(
          await this.#parts.rereads.read(owned.partition, stop.event, stop.ranges),
        )
      case 'rebuild':
        this.#rebuilds.set(
          owned,
          RebuildRun.start(this.#parts, owned, stop, this.#ownership.signal),
        )
        return undefined
      default:
        return undefined
    }
  }

  /** Records that the next transaction still takes. */
  #room(): number {
    let uncommitted = 0
    for (const owned of this.#owned.values()) uncommitted += owned.uncommitted
    return Math.max(0, this.#parts.config.commit.records - uncommitted)
  }

  /**
   * Results of a caught-up partition go out as soon as those of the same moment are there from the others.
   * Behind the end, transactions are as large as the settings allow.
   */
  async #commitIfDue(): Promise<void> {
    const { intervalMs } = this.#parts.config.commit
    const { sinceLastMs } = this.#commits
    // A commit sets long open windows aside: what a full partition waits for.
    if (this.#room() === 0 || this.#limit.isAnyReached) return this.#commits.begin()
    const owned = [...this.#owned.values()]
    const withResults = owned.filter(({ hasResults }) => hasResults)
    const isDue = sinceLastMs >= (withResults.length > 0 ? intervalMs : quietCommits * intervalMs)
    if (isDue && owned.some((one) => !this.#isNearlyCaughtUp(one))) return this.#commits.begin()
    if (isDue || withResults.some((one) => this.#isNearlyCaughtUp(one))) {
      this.#commits.beginWithin(this.#haveHeardAlike(owned) ? 0 : gatheringMs)
    }
    return undefined
  }

  /** Whether all stand at the same heartbeat of each feed. */
  #haveHeardAlike(all: readonly OwnedPartition[]): boolean {
    const heard = new Map<string, number>()
    for (const { aggregation } of all) {
      for (const { feedId, upTo } of aggregation?.watermarks() ?? []) {
        if ((heard.get(feedId) ?? upTo) !== upTo) return false
        heard.set(feedId, upTo)
      }
    }
    return true
  }

  async #write(outputs: readonly PartitionOutput[]): Promise<void> {
    const { events, targets, config, lag } = this.#parts
    const began = Date.now()
    const traces = this.#transactionTraces(outputs, began)
    for (const { rejected } of outputs) {
      for (const { record, reason, message } of rejected) {
        events.recordRejected(reason, message, record)
      }
    }
    try {
      await commitOutputs(targets, outputs, traces)
      traces?.committed()
      const topic = this.#topic('market-events')
      for (const { partition, position, appendedAt, outcomes } of outputs) {
        events.recordsApplied(outcomes)
        lag.committed({ topic, partition, offset: position }, appendedAt)
      }
      events.committed(
        outputs.flatMap(({ candles }) => candles),
        outputs.reduce((sum, { outcomes }) => sum + countOf(outcomes), 0),
        (Date.now() - began) / 1000,
      )
    } catch (error) {
      traces?.failed(error)
      const fenced = isFenced(error) && Date.now() - began < transactionTimeoutMs
      throw fenced ? new InstanceFenced(config.kafka.transactionalId, { cause: error }) : error
    }
  }

  #partitionTraces(): PartitionTraces | undefined {
    const { config, tracing } = this.#parts
    if (!tracing.enabled) return undefined
    const { groupId } = config.kafka
    return new PartitionTraces({ tracing, groupId, intervals: config.windows.intervals })
  }

  #transactionTraces(
    outputs: readonly PartitionOutput[],
    began: number,
  ): TransactionTraces | undefined {
    const { config, tracing } = this.#parts
    const eventsTopic = this.#topic('market-events')
    return TransactionTraces.begin(
      { tracing, groupId: config.kafka.groupId, eventsTopic, began },
      outputs,
    )
  }

  /** Stops the delivery of partitions that cannot take records now, and lets it go on when they can. */
  #steerReading(): void {
    const { reader } = this.#parts
    const topic = this.#topic('market-events')
    for (const owned of this.#owned.values()) {
      const { partition, aggregation, waitingRecords, isRebuilding } = owned
      const isBusy = aggregation === undefined || waitingRecords > 0 || isRebuilding
      const isFull = this.#limit.check(owned)
      const isPaused = this.#paused.has(owned)
      if (isPaused === (isBusy || isFull)) continue
      if (isPaused) {
        this.#paused.delete(owned)
        reader.resume([{ topic, partition }])
      } else {
        this.#paused.add(owned)
        reader.pause([{ topic, partition }])
      }
    }
  }

  #livePartitions() {
    return [...this.#owned.values()].flatMap((owned) => {
      const { partition, aggregation } = owned
      const isShown = aggregation !== undefined && this.#isNearlyCaughtUp(owned)
      return isShown ? [{ partition, aggregation, traces: owned.traces }] : []
    })
  }

  #isNearlyCaughtUp(owned: OwnedPartition): boolean {
    return this.#lag(owned) <= nearlyCaughtUp
  }

  #lag({ partition, position }: OwnedPartition): number {
    const end = this.#parts.reader.lastKnownEnd(this.#topic('market-events'), partition)
    return Math.max(0, (end ?? position) - position)
  }

  #topic(topic: Parameters<typeof topicName>[0]): string {
    return topicName(topic, this.#parts.config.kafka.topicPrefix)
  }
}

function countOf(outcomes: ReadonlyMap<string, number>): number {
  return outcomes.values().reduce((sum, count) => sum + count, 0)
}
