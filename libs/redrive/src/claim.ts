import { randomUUID } from 'node:crypto'

/** Of one partition of market-events. */
export interface LogEnd {
  readonly partition: number
  readonly offset: number
}

/**
 * Names a run in `rejected.redrive_id`, and where each partition of market-events ended when it began:
 * `<uuid>@0:1234,1:1250`. If the run dies, the log behind these offsets tells what it wrote.
 */
export function newClaim(ends: readonly LogEnd[]): string {
  return `${randomUUID()}@${ends.map(({ partition, offset }) => `${partition}:${offset}`).join(',')}`
}

/** @throws Error for a claim that no version of this command has written. */
export function claimedEnds(claim: string): readonly LogEnd[] {
  const [, ends] = /^[0-9a-f-]{36}@((?:\d+:\d+,?)*)$/.exec(claim) ?? []
  if (ends === undefined) {
    throw new Error(
      `rejected.redrive_id has "${claim}", which is no claim of this command: find out who wrote it, and set it to null if nothing was put back`,
    )
  }
  return ends
    .split(',')
    .filter((each) => each !== '')
    .map((each) => {
      const [partition, offset] = each.split(':').map(Number)
      return { partition: partition ?? 0, offset: offset ?? 0 }
    })
}
