import type { PartitionState } from '@tickertape/market-model'

/** State, offsets and log of a partition do not belong together: nothing may be written. */
export class StateMismatch extends Error {
  override readonly name = 'StateMismatch'
}

export interface PartitionStanding {
  readonly groupId: string
  readonly eventsTopic: string
  readonly stateTopic: string
  readonly partition: number
  /** The group's next offset; undefined if there is none. */
  readonly committed: number | undefined
  /** What the log has: its first offset and the next one to be written. */
  readonly log: { readonly low: number; readonly high: number }
}

/**
 * Whether the log has what the group's offset says: checked before anything is restored.
 *
 * @throws StateMismatch
 */
export function requireReadableLog(standing: PartitionStanding): void {
  const { committed, log } = standing
  if (committed === undefined) return
  if (committed > log.high) {
    throw new StateMismatch(
      `${events(standing)} ends at offset ${log.high}, but group ${standing.groupId} has read up to ${committed}: the topic was deleted and made anew, or restored from a backup. ${startAnew(standing)}`,
    )
  }
  if (committed < log.low) {
    throw new StateMismatch(
      `${events(standing)} begins at offset ${log.low}, but group ${standing.groupId} has read only up to ${committed}: retention or somebody has deleted ${log.low - committed} records that were not read. Bring them back, or accept the loss: ${lower(startAnew(standing))}`,
    )
  }
}

/**
 * Whether changelog and offsets are of one transaction, and the log still has what the open windows need.
 *
 * @throws StateMismatch
 */
export function requireMatchingState(
  standing: PartitionStanding,
  state: PartitionState | undefined,
): void {
  const { committed, log, groupId } = standing
  if (state === undefined) {
    if (committed === undefined) return
    throw new StateMismatch(
      `${changelog(standing)} is empty, but group ${groupId} has read ${events(standing)} up to offset ${committed}: the topic was deleted, or made anew. ${bringTogether(standing)}`,
    )
  }
  const { committedOffset, restoreOffset } = state
  if (committed === undefined) {
    if (committedOffset > log.high) {
      // The broker deletes a topic's offsets together with it.
      throw new StateMismatch(
        `${changelog(standing)} stands at offset ${committedOffset} of ${events(standing)}, which ends at offset ${log.high}: the topic was deleted and made anew. ${startAnew(standing)}`,
      )
    }
    throw new StateMismatch(
      `${changelog(standing)} stands at offset ${committedOffset} of ${events(standing)}, but group ${groupId} has no offset there: the group was deleted, its offsets have expired, or AGGREGATOR_GROUP_ID is another one. ${bringTogether(standing)}`,
    )
  }
  if (committedOffset !== committed) {
    const side = committedOffset > committed ? 'ahead of' : 'behind'
    throw new StateMismatch(
      `${changelog(standing)} stands at offset ${committedOffset} of ${events(standing)}, ${side} offset ${committed} of group ${groupId}: one of them was restored, reset or moved without the other. ${bringTogether(standing)}`,
    )
  }
  if (restoreOffset < log.low) {
    throw new StateMismatch(
      `${events(standing)} begins at offset ${log.low}, but open windows need it from ${restoreOffset}: retention or somebody has deleted what they hold. Bring the records back, or accept the loss: ${lower(startAnew(standing))}`,
    )
  }
}

function events({ eventsTopic, partition }: PartitionStanding): string {
  return `${eventsTopic} [${partition}]`
}

function changelog({ stateTopic, partition }: PartitionStanding): string {
  return `The changelog ${stateTopic} [${partition}]`
}

function bringTogether(standing: PartitionStanding): string {
  return `Bring them back together, or compute anew: ${lower(startAnew(standing))}`
}

function startAnew({ stateTopic, groupId, eventsTopic }: PartitionStanding): string {
  return `Stop all instances, delete the offsets of group ${groupId} and the records of ${stateTopic}, and start: all candles are computed from the beginning of ${eventsTopic}`
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
