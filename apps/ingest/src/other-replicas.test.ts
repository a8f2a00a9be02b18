import { describe, expect, it } from 'vitest'

import type { FeedCursor } from '@tickertape/market-model'

import { OtherReplicas } from './other-replicas.ts'

const patienceMs = 3_000

function cursor(
  instrument: string,
  vouchesFrom: number | null,
  upTo: number | null,
  replicaId = 'b',
): FeedCursor {
  const names = { feedId: 'f', replicaId, instrument }
  return { ...names, sequence: 1, eventTime: 1, tradeIds: [], upTo, vouchesFrom, openGaps: [] }
}

/** What is covered of [1000, 2000) of X and Y by cursors, each heard at 0. */
function covered(...cursors: readonly FeedCursor[]): readonly string[] {
  const replicas = new OtherReplicas(patienceMs)
  for (const each of cursors) replicas.heard(each, 0)
  const span = { fromTime: 1_000, toTime: 2_000 }
  return [...replicas.coverage(span, ['X', 'Y'], 0).covered].toSorted()
}

describe('a replica covers an absence', () => {
  it('from its beginning to its end, of the instruments that it has cursors of', () => {
    expect(covered(cursor('X', 1_000, 2_000), cursor('Y', 1_000, 900))).toEqual(['X', 'Y'])
    expect(covered(cursor('X', 1_000, 2_000))).toEqual(['X'])
    expect(covered(cursor('X', 1_000, 1_999), cursor('Y', 1_000, 1_999))).toEqual([])
    expect(covered(cursor('X', 1_001, 2_500), cursor('Y', 1_001, 2_500))).toEqual([])
    expect(covered(cursor('X', null, 2_500))).toEqual([])
    expect(covered(cursor('X', 500, null))).toEqual([])
  })

  // It was away in between and nobody covered that: what it vouched for before and after is no proof of it.
  it('not with an absence of its own in between', () => {
    expect(covered(cursor('X', 500, 1_500), cursor('X', 1_800, 2_500))).toEqual([])
  })

  // Its process may read fewer instruments since it was started anew; old cursors stay in the topic.
  it('not of an instrument whose cursor is of another time', () => {
    expect(covered(cursor('Y', 500, 900), cursor('X', 950, 2_500))).toEqual(['X'])
  })

  it('together with others, each for its own instruments', () => {
    expect(covered(cursor('X', 500, 2_500, 'b'), cursor('Y', 700, 2_000, 'c'))).toEqual(['X', 'Y'])
    // The halves of an absence are not enough, each.
    expect(covered(cursor('X', 500, 1_500, 'b'), cursor('X', 1_500, 2_500, 'c'))).toEqual([])
  })
})

describe('a replica is waited for', () => {
  const span = { fromTime: 1_000, toTime: 2_000 }
  const never = new AbortController().signal

  it('while it is at work and may come up to the end', () => {
    const replicas = new OtherReplicas(patienceMs)
    const isPending = (now: number): boolean => replicas.coverage(span, ['X'], now).isPending
    expect(isPending(0)).toBe(false)
    replicas.heard(cursor('X', 500, 1_500), 0)
    expect(isPending(patienceMs)).toBe(true)
    expect(isPending(patienceMs + 1)).toBe(false)
    replicas.heard(cursor('X', 500, 1_800), 4_000)
    expect(isPending(5_000)).toBe(true)
    replicas.heard(cursor('X', 500, 2_000), 4_500)
    expect(isPending(5_000)).toBe(false)
  })

  // Cursors go on while heartbeats do not: after a cut that hit both, each waited for the other one's
  // cursors as long as it could, and the feed had no heartbeats for all of that time.
  it.each([
    ['it vouches for nothing more', cursor('Y', 500, 1_500)],
    ['it vouches for what was before', cursor('X', 500, 1_400)],
    ['it does not vouch, as its own absence has not been told', cursor('X', null, 1_500)],
    ['it vouches anew, behind an absence of its own', cursor('X', 1_700, 1_800)],
  ])('not while %s', (_name, written) => {
    const replicas = new OtherReplicas(patienceMs)
    replicas.heard(cursor('X', 500, 1_500), 0)
    replicas.heard(written, patienceMs)
    expect(replicas.coverage(span, ['X'], patienceMs).isPending).toBe(true)
    expect(replicas.coverage(span, ['X'], patienceMs + 1).isPending).toBe(false)
  })

  it('no longer than it takes', async () => {
    const replicas = new OtherReplicas(patienceMs)
    expect(await replicas.awaitCoverage(span, ['X'], never)).toEqual(new Set())
    replicas.heard(cursor('X', 500, 1_500), performance.now())
    const waited = replicas.awaitCoverage(span, ['X'], never)
    replicas.heard(cursor('X', 500, 2_000), performance.now())
    expect(await waited).toEqual(new Set(['X']))
  })

  it('until it falls silent, or the signal comes', async () => {
    const replicas = new OtherReplicas(40)
    replicas.heard(cursor('X', 500, 1_500), performance.now())
    expect(await replicas.awaitCoverage(span, ['X'], never)).toEqual(new Set())
    const stop = new AbortController()
    const patient = new OtherReplicas(60_000)
    patient.heard(cursor('X', 500, 1_500), performance.now())
    const waited = patient.awaitCoverage(span, ['X'], stop.signal)
    stop.abort(new Error('stopped'))
    await expect(waited).rejects.toThrow('stopped')
  })
})
