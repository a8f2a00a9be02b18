import { choiceSetting, integerSetting } from '@tickertape/service-runtime'
import type { SettingValues } from '@tickertape/service-runtime'

export const streamSettings = {
  GATEWAY_STREAM_CONNECTIONS: integerSetting({
    default: '5000',
    min: 1,
    about: 'Most WebSocket connections of this instance',
  }),
  GATEWAY_STREAM_CONNECTIONS_PER_ADDRESS: integerSetting({
    default: '50',
    min: 1,
    about: 'Most WebSocket connections from one address',
  }),
  GATEWAY_STREAM_CONNECTIONS_PER_CALLER: integerSetting({
    default: '50',
    min: 1,
    about: 'Most WebSocket connections of one key or token to this instance',
  }),
  GATEWAY_STREAM_SUBSCRIPTIONS: integerSetting({
    default: '100',
    min: 1,
    about: 'Most subscriptions of a connection',
  }),
  GATEWAY_STREAM_INSTRUMENTS: integerSetting({
    default: '2000',
    min: 1,
    about: 'Most instruments, tokens and pairs in all subscriptions of a connection',
  }),
  // Some 600 bytes each: 12 MB for a client that does not read what it asked for.
  GATEWAY_STREAM_SNAPSHOT_ITEMS: integerSetting({
    default: '20000',
    min: 1,
    about: 'Most candles or trades that a connection waits for as snapshots or resumed streams',
  }),
  GATEWAY_STREAM_MESSAGE_BYTES: integerSetting({
    default: '65536',
    min: 1_024,
    about: 'Longest message that a client may send',
  }),
  GATEWAY_STREAM_MESSAGES_PER_SECOND: integerSetting({
    default: '20',
    min: 1,
    about: 'Messages a second that a client may send, ten times as many at once',
  }),
  GATEWAY_STREAM_HANDSHAKE_MS: integerSetting({
    default: '5000',
    min: 1,
    about: 'Longest time to decide on a handshake',
  }),
  GATEWAY_STREAM_FLUSH_MS: integerSetting({
    default: '25',
    about: 'Least time between two rounds of writing to the clients',
  }),
  GATEWAY_STREAM_OUTBOX_BYTES: integerSetting({
    default: '4194304',
    min: 65_536,
    about: 'Finals and trades that wait for a slow client before it is closed',
  }),
  GATEWAY_STREAM_SOCKET_BYTES: integerSetting({
    default: '65536',
    min: 1_024,
    about:
      'Unsent bytes in a socket above which open candles and statistics wait and are conflated',
  }),
  GATEWAY_STREAM_WRITE_DEADLINE_MS: integerSetting({
    default: '15000',
    min: 1,
    about: 'A client that takes nothing for so long is closed',
  }),
  GATEWAY_STREAM_HEARTBEAT_MS: integerSetting({
    default: '15000',
    min: 10,
    about: 'Time between heartbeats and pings to a client',
  }),
  GATEWAY_STREAM_PONG_DEADLINE_MS: integerSetting({
    default: '40000',
    min: 10,
    about: 'A client that answers no ping for so long is closed',
  }),
  GATEWAY_STREAM_CURSOR_MS: integerSetting({
    default: '1000',
    min: 1,
    about: 'Least time between two cursors to a client',
  }),
  GATEWAY_STREAM_COMPRESSION: choiceSetting(['off', 'on'], {
    default: 'off',
    about: 'permessage-deflate: each client costs its own compression of the same bytes',
  }),
  GATEWAY_PRESENCE_MS: integerSetting({
    default: '5000',
    min: 100,
    about: 'How often the instance tells the database how many clients it has',
  }),
} as const

/** How the stream treats its clients. Bytes are counted as characters where messages wait as text. */
export interface StreamOptions {
  /** Named in the welcome message, and to the database. */
  readonly instance: string
  readonly limits: {
    readonly connections: number
    readonly connectionsPerAddress: number
    readonly connectionsPerCaller: number
    readonly subscriptions: number
    readonly instruments: number
    readonly snapshotItems: number
    readonly messageBytes: number
    readonly messagesPerSecond: number
  }
  readonly handshakeMs: number
  readonly flushMs: number
  readonly outboxBytes: number
  readonly socketBytes: number
  readonly writeDeadlineMs: number
  readonly heartbeatMs: number
  readonly pongDeadlineMs: number
  readonly cursorMs: number
  /** Time between two tellings of how many clients there are. */
  readonly presenceMs: number
  /** Off unless asked for: with a deflate stream for each client nothing that is encoded once is sent as it is. */
  readonly compression: boolean
}

export function streamOptions(
  instance: string,
  values: SettingValues<typeof streamSettings>,
): StreamOptions {
  return {
    instance,
    limits: {
      connections: values.GATEWAY_STREAM_CONNECTIONS,
      connectionsPerAddress: values.GATEWAY_STREAM_CONNECTIONS_PER_ADDRESS,
      connectionsPerCaller: values.GATEWAY_STREAM_CONNECTIONS_PER_CALLER,
      subscriptions: values.GATEWAY_STREAM_SUBSCRIPTIONS,
      instruments: values.GATEWAY_STREAM_INSTRUMENTS,
      snapshotItems: values.GATEWAY_STREAM_SNAPSHOT_ITEMS,
      messageBytes: values.GATEWAY_STREAM_MESSAGE_BYTES,
      messagesPerSecond: values.GATEWAY_STREAM_MESSAGES_PER_SECOND,
    },
    handshakeMs: values.GATEWAY_STREAM_HANDSHAKE_MS,
    flushMs: values.GATEWAY_STREAM_FLUSH_MS,
    outboxBytes: values.GATEWAY_STREAM_OUTBOX_BYTES,
    socketBytes: values.GATEWAY_STREAM_SOCKET_BYTES,
    writeDeadlineMs: values.GATEWAY_STREAM_WRITE_DEADLINE_MS,
    heartbeatMs: values.GATEWAY_STREAM_HEARTBEAT_MS,
    pongDeadlineMs: values.GATEWAY_STREAM_PONG_DEADLINE_MS,
    cursorMs: values.GATEWAY_STREAM_CURSOR_MS,
    presenceMs: values.GATEWAY_PRESENCE_MS,
    compression: values.GATEWAY_STREAM_COMPRESSION === 'on',
  }
}
