import type { InstrumentStatus } from '@tickertape/market-model'

import { replicas } from './reference-market-delivery.ts'
import type { Connections, Delivery, RejectIntent } from './reference-market-delivery.ts'
import { feeds, marketInstruments, successorFeed } from './reference-market-instruments.ts'
import type { MarketInstrument, Timeline } from './reference-market-instruments.ts'
import { seededRandom } from './reference-market-random.ts'
import type { Random } from './reference-market-random.ts'

const heartbeatEveryMs = 500

/** Each replica says twice a second up to where it has delivered; now and then one lies about the time. */
export function heartbeatDeliveries(
  timeline: Timeline,
  connections: Connections,
  seed: number,
): readonly Delivery[] {
  const random = seededRandom(seed, 'heartbeats')
  const deliveries: Delivery[] = []
  for (const feedId of feeds) {
    for (const [index, replicaId] of replicas.entries()) {
      const first = timeline.begin + 250 * index + 10
      for (let at = first; at < timeline.end; at += heartbeatEveryMs) {
        if (connections.isDown(feedId, replicaId, at)) continue
        const upTo = at - connections.lag(feedId, replicaId, at) - 20
        deliveries.push(heartbeat(feedId, replicaId, upTo, at, null))
        // Believed, it would close every window.
        if (random.chance(0.001)) {
          const ahead = at + random.between(5_001, 3_600_000)
          deliveries.push(heartbeat(feedId, replicaId, ahead, at, 'future'))
        }
      }
    }
    // Behind all that the feed has delivered: nothing is left that no heartbeat settles.
    const last = (feedId === 'okx' ? timeline.okxDeath : timeline.end) - 1
    deliveries.push(heartbeat(feedId, 'a', last - 20, last, null))
  }
  return deliveries
}

/** What the feeds say of their instruments. */
export function statusDeliveries(timeline: Timeline): readonly Delivery[] {
  const { begin, expiry, okxSuccession } = timeline
  const described = marketInstruments.filter(({ kind }) => kind !== null)
  const listed = described.map((instrument) => status(instrument, 'listed', begin, begin))
  return [
    ...listed,
    ...marketInstruments
      .filter(({ kind }) => kind === 'future')
      .map((instrument) => status(instrument, 'expired', expiry, expiry + 300)),
    ...marketInstruments
      .filter(({ instrumentId }) => instrumentId === 'okx:ETH-USDT')
      .map((instrument) => ({
        ...status({ ...instrument, feedId: successorFeed }, 'listed', okxSuccession, okxSuccession),
        at: okxSuccession - 4_000,
      })),
  ]
}

/** Records that nobody can read, in places that do not depend on what is around them. */
export function garbageDeliveries(
  timeline: Timeline,
  count: number,
  seed: number,
): readonly Delivery[] {
  const random = seededRandom(seed, 'garbage')
  return Array.from({ length: count }, () => garbage(timeline, random))
}

function garbage({ begin, end }: Timeline, random: Random): Delivery {
  const forms = ['text', 'truncated', 'unknown-schema', 'none'] as const
  const form = forms[random.between(0, forms.length)] ?? 'text'
  const { instrumentId = '' } = marketInstruments[random.between(0, marketInstruments.length)] ?? {}
  return {
    at: random.between(begin, end),
    event: { type: 'Garbage', form },
    instrumentId,
    intent: form === 'unknown-schema' ? 'unknown_schema_id' : 'undecodable',
  }
}

function heartbeat(
  feedId: string,
  replicaId: string,
  upTo: number,
  receivedAt: number,
  intent: RejectIntent | null,
): Delivery {
  return {
    at: receivedAt,
    event: { type: 'FeedHeartbeat', value: { feedId, replicaId, upTo, receivedAt } },
    instrumentId: null,
    intent,
  }
}

function status(
  { instrumentId, feedId, kind, quantityUnit }: MarketInstrument,
  state: InstrumentStatus['status'],
  eventTime: number,
  at: number,
): Delivery {
  return {
    at,
    event: {
      type: 'InstrumentStatus',
      value: {
        instrumentId,
        feedId,
        status: state,
        eventTime,
        receivedAt: at,
        base: null,
        quote: null,
        kind,
        quantityUnit,
      },
    },
    instrumentId,
    intent: null,
  }
}
