import {
  TransactionalProducer,
  readPartition,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { KafkaConnection, OutgoingRecord } from '@tickertape/kafka-avro'
import type { Database } from '@tickertape/market-store'

import { claimedEnds, newClaim } from './claim.ts'
import { redrivenFrom, redrivenHeader } from './redriven-header.ts'
import { claimRejected, markRedriven, openClaims, releaseClaim } from './rejected-records.ts'
import type { RedriveSelection, RejectPosition, RejectedRecord } from './rejected-records.ts'

export interface RedriveProgress {
  /** Rejects whose records are in market-events again. */
  readonly redriven: number
  /** Rejects of which nothing could be made: they stay as they are. */
  readonly kept: number
}

export interface RedriveToLogOptions {
  readonly database: Database
  readonly connection: KafkaConnection
  readonly topicPrefix: string
  readonly selection: RedriveSelection
  /** What of a reject goes to market-events; a text says why nothing does. */
  readonly recordsOf: (record: RejectedRecord) => readonly OutgoingRecord[] | string
  readonly onKept: (record: RejectedRecord, why: string) => void
  readonly onProgress: (progress: RedriveProgress) => void
  /** Rejects of a run that died and had been put back already. */
  readonly onRecovered: (count: number) => void
  /** Ends the run behind the transaction that is under way. */
  readonly signal: AbortSignal
}

/** Rejects in one transaction: all of them are put back, or none. */
const chunkRecords = 500

/**
 * Puts rejected records back into market-events, each once: a transaction for each chunk, whose rejects are
 * claimed before and marked after it. What a run that died between the two has written is found in the log by
 * its headers; what it had not committed, opening the producer aborts.
 *
 * @throws KafkaAvroError `transaction_failed` too if another run begins: the transactional id is the same.
 */
export async function redriveToLog(options: RedriveToLogOptions): Promise<RedriveProgress> {
  const { connection, database, onProgress, selection, signal, topicPrefix } = options
  const topic = topicName('market-events', topicPrefix)
  await using producer = await TransactionalProducer.open({
    connection,
    clientId: `${topicPrefix}redrive`,
    transactionalId: `${topicPrefix}redrive`,
  })
  await recover(options, topic)
  const claim = newClaim(
    (await topicOffsets(connection, topic)).map(({ partition, high }) => ({
      partition,
      offset: high,
    })),
  )
  let progress: RedriveProgress = { redriven: 0, kept: 0 }
  let after: RejectPosition | undefined
  while (!signal.aborted) {
    const rejects = await claimRejected(database, selection, claim, after, chunkRecords)
    if (rejects.length === 0) break
    const done = await putBack(options, producer, rejects)
    await markRedriven(database, done)
    after = rejects.at(-1)
    progress = {
      redriven: progress.redriven + done.length,
      kept: progress.kept + rejects.length - done.length,
    }
    onProgress(progress)
  }
  await releaseClaim(database, claim)
  return progress
}

async function putBack(
  { recordsOf, onKept }: RedriveToLogOptions,
  producer: TransactionalProducer,
  rejects: readonly RejectedRecord[],
): Promise<readonly RejectPosition[]> {
  const done: RejectPosition[] = []
  await producer.begin()
  for (const reject of rejects) {
    const records = recordsOf(reject)
    if (typeof records === 'string') {
      onKept(reject, records)
      continue
    }
    for (const record of records) {
      const headers = [...(record.headers ?? []), redrivenHeader(reject)]
      await producer.produce({ ...record, headers })
    }
    done.push(reject)
  }
  await producer.commit()
  return done
}

/** Finishes what runs that died have begun: the log tells what they committed. */
async function recover(
  { connection, database, onRecovered, topicPrefix }: RedriveToLogOptions,
  topic: string,
): Promise<void> {
  for (const claim of await openClaims(database)) {
    const written: RejectPosition[] = []
    for (const { partition, offset } of claimedEnds(claim)) {
      const batches = readPartition(
        { connection, clientId: `${topicPrefix}redrive` },
        { topic, partition, from: offset, to: 'end' },
      )
      for await (const batch of batches) {
        for (const { headers } of batch) {
          const position = redrivenFrom(headers)
          if (position !== undefined) written.push(position)
        }
      }
    }
    const recovered = await markRedriven(database, written)
    await releaseClaim(database, claim)
    if (recovered > 0) onRecovered(recovered)
  }
}
