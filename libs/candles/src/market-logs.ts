/** Records for tests, each valid unless told otherwise. */
import type { InstrumentStatus, MarketEvent, SequenceGap, Trade } from '@tickertape/market-model'
import { noOptionalFacts } from '@tickertape/market-model'

/** Start of a window of every interval up to 5m. */
export const epoch = 1_700_000_100_000

/** Any trade of `btc` unless told otherwise; a valid one. */
export function tradeEvent(facts: Partial<Trade>): MarketEvent & { readonly type: 'Trade' } {
  const eventTime = facts.eventTime ?? epoch
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC',
      tradeId: `id-${facts.sequence ?? eventTime}`,
      version: 0,
      status: 'confirmed',
      sequence: null,
      venueOrder: null,
      price: { mantissa: 971_235, exponent: -1 },
      quantity: { mantissa: 1, exponent: -2 },
      notionalUsd: null,
      takerSide: 'buy',
      eventTime,
      receivedAt: eventTime + 10,
      ...noOptionalFacts,
      ...facts,
    },
  }
}

export function heartbeat(upTo: number, feedId = 'deribit', receivedAt = upTo): MarketEvent {
  return { type: 'FeedHeartbeat', value: { feedId, replicaId: 'a', upTo, receivedAt } }
}

export function sequenceGap(facts: Partial<SequenceGap>): MarketEvent {
  return {
    type: 'SequenceGap',
    value: {
      gapId: 'gap-1',
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId: null,
      fromTime: epoch,
      toTime: epoch + 1_000,
      fromSequence: null,
      toSequence: null,
      state: 'open',
      ...facts,
    },
  }
}

export function instrumentStatus(
  status: 'listed' | 'expired',
  eventTime: number,
  instrumentId = 'deribit:BTC',
  feedId = 'deribit',
  facts: Partial<InstrumentStatus> = {},
): MarketEvent {
  return {
    type: 'InstrumentStatus',
    value: {
      instrumentId,
      feedId,
      status,
      eventTime,
      receivedAt: eventTime,
      base: null,
      quote: null,
      kind: null,
      quantityUnit: null,
      ...facts,
    },
  }
}
