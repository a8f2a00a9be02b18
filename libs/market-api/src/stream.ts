import { z } from 'zod'

import { candle } from './candle.ts'
import { interval, position, statsSpan, time } from './scalars.ts'
import { instrumentStats, pairStats, statsSubjects, tokenStats } from './stats.ts'
import { trade } from './trade.ts'

/**
 * The messages of `/v1/stream`. A client sends one message in a frame; the gateway sends frames that hold
 * an array of messages.
 */
export const streamProtocol = 1

/** Chosen by the client; its messages are answered under it. */
const subscriptionId = z.string().min(1).max(64)

/**
 * An instrumentId, or a pattern in which `*` stands for any characters: `binance:*`, `*:BTC*`.
 */
const namePattern = z.string().min(1).max(200)

const subscribeFacts = {
  type: z.literal('subscribe'),
  id: subscriptionId,
  resume: position.optional().meta({
    description: 'Go on from here instead of a snapshot; from a cursor message or a REST answer',
  }),
}

export const subscribe = z
  .discriminatedUnion('channel', [
    z.object({
      ...subscribeFacts,
      channel: z.literal('candles'),
      instruments: z.array(namePattern).min(1).max(1_000),
      intervals: z.array(interval).min(1).max(7),
      live: z
        .boolean()
        .default(true)
        .meta({ description: 'Windows that are still open as well, four times a second at most' }),
      snapshot: z
        .int()
        .min(0)
        .max(300)
        .default(1)
        .meta({ description: 'Latest candles of each window length to begin with' }),
    }),
    z.object({
      ...subscribeFacts,
      channel: z.literal('trades'),
      instruments: z.array(namePattern).min(1).max(1_000),
      snapshot: z
        .int()
        .min(0)
        .max(300)
        .default(50)
        .meta({ description: 'Latest trades of each instrument to begin with' }),
    }),
    z.object({
      ...subscribeFacts,
      channel: z.literal('stats'),
      of: z.enum(statsSubjects),
      span: statsSpan,
      names: z.array(namePattern).min(1).max(1_000).meta({
        description: 'instrumentIds, tokens (BTC) or pairs (BTC/USD), or patterns of them',
      }),
    }),
  ])
  .meta({ id: 'Subscribe' })

export type Subscribe = z.infer<typeof subscribe>
export type Channel = Subscribe['channel']

export const unsubscribe = z
  .object({ type: z.literal('unsubscribe'), id: subscriptionId })
  .meta({ id: 'Unsubscribe' })

export const ping = z
  .object({ type: z.literal('ping'), id: z.string().max(64).optional() })
  .meta({ id: 'Ping', description: 'Answered by a pong with the same id' })

export const clientMessage = z.union([subscribe, unsubscribe, ping])

export type ClientMessage = z.infer<typeof clientMessage>

export const streamErrorCodes = [
  'invalid_message',
  'unknown_subscription',
  'subscription_exists',
  'too_many_subscriptions',
  'too_many_instruments',
  // Not a refusal: the subscription that it names goes on, without an instrument that came later.
  'instrument_not_followed',
  'forbidden',
] as const

export type StreamErrorCode = (typeof streamErrorCodes)[number]

/** Why a resume was answered by a snapshot instead. */
export const resetReasons = ['position_too_old', 'position_unknown'] as const

export const serverMessages = {
  welcome: z
    .object({
      type: z.literal('welcome'),
      protocol: z.literal(streamProtocol),
      instance: z.string(),
      heartbeatMs: z.int().meta({ description: 'A heartbeat comes at least this often' }),
      limits: z.object({
        subscriptions: z.int(),
        instruments: z.int(),
        messageBytes: z.int(),
      }),
    })
    .meta({ id: 'Welcome' }),
  subscribed: z
    .object({
      type: z.literal('subscribed'),
      id: subscriptionId,
      channel: z.enum(['candles', 'trades', 'stats']),
      resumed: z.boolean().meta({
        description:
          'true: nothing is missing since the position given. false: a snapshot follows; always of stats, which have no place in the stream',
      }),
      reset: z
        .enum(resetReasons)
        .nullable()
        .meta({ description: 'Why a resume was not possible; a snapshot follows' }),
      unknown: z
        .array(z.string())
        .optional()
        .meta({ description: 'Names of which nothing is known yet; what comes of them is sent' }),
    })
    .meta({ id: 'Subscribed' }),
  snapshot: z
    .object({
      type: z.literal('snapshot'),
      id: subscriptionId,
      candles: z.array(candle).optional(),
      trades: z.array(trade).optional(),
      stats: z.array(z.union([instrumentStats, pairStats, tokenStats])).optional(),
      last: z.boolean().meta({ description: 'true: the stream begins behind this message' }),
    })
    .meta({ id: 'Snapshot' }),
  candle: z.object({ type: z.literal('candle'), candle }).meta({ id: 'CandleUpdate' }),
  trade: z.object({ type: z.literal('trade'), trade }).meta({ id: 'TradeUpdate' }),
  stats: z
    .object({
      type: z.literal('stats'),
      of: z.enum(statsSubjects),
      stats: z.union([instrumentStats, pairStats, tokenStats]),
    })
    .meta({ id: 'StatsUpdate' }),
  cursor: z
    .object({ type: z.literal('cursor'), position })
    .meta({ id: 'Cursor', description: 'Everything before this position has been sent' }),
  heartbeat: z.object({ type: z.literal('heartbeat'), at: time }).meta({ id: 'Heartbeat' }),
  pong: z.object({ type: z.literal('pong'), id: z.string().optional() }).meta({ id: 'Pong' }),
  unsubscribed: z
    .object({ type: z.literal('unsubscribed'), id: subscriptionId })
    .meta({ id: 'Unsubscribed' }),
  error: z
    .object({
      type: z.literal('error'),
      id: subscriptionId.nullable(),
      code: z.enum(streamErrorCodes),
      message: z.string().meta({ description: 'What happened and what to do' }),
    })
    .meta({ id: 'StreamError' }),
} as const

export const serverMessage = z.discriminatedUnion('type', [
  serverMessages.welcome,
  serverMessages.subscribed,
  serverMessages.snapshot,
  serverMessages.candle,
  serverMessages.trade,
  serverMessages.stats,
  serverMessages.cursor,
  serverMessages.heartbeat,
  serverMessages.pong,
  serverMessages.unsubscribed,
  serverMessages.error,
])

export type ServerMessage = z.infer<typeof serverMessage>
