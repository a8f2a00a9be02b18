import type { KafkaConnection, RegistryConnection } from '@tickertape/kafka-avro'
import {
  adminPortSetting,
  choiceSetting,
  integerSetting,
  kafkaAccess,
  listSetting,
  registryAccess,
  sharedSettings,
  textSetting,
  urlSetting,
} from '@tickertape/service-runtime'
import type { Setting, SettingValues } from '@tickertape/service-runtime'
import { z } from 'zod'

import { readSelection } from './instrument-selection.ts'
import type { InstrumentSelection } from './instrument-selection.ts'
import { venueNames, venues } from './venue-registry.ts'
import { readVenueSettings, venueSettings } from './venue-settings.ts'
import type { Venue } from './venue.ts'

/** Empty means that something else decides. */
function optionalIntegerSetting(about: string): Setting<number | undefined> {
  return {
    schema: z
      .string()
      .regex(/^\d*$/, 'must be a non-negative integer or empty')
      .transform((text) => (text === '' ? undefined : Number(text))),
    default: '',
    about,
    secret: false,
  }
}

export const settings = {
  ...sharedSettings,
  INGEST_VENUE: choiceSetting(venueNames, { default: 'deribit', about: 'Which venue to read' }),
  INGEST_INSTRUMENTS: listSetting({
    default: '',
    about:
      "The venue's own symbols and patterns of them (`BTC-*`, `*`), comma separated; empty: a few of its busiest",
  }),
  INGEST_CATALOG_MS: integerSetting({
    default: '3600000',
    min: 100,
    max: 86_400_000,
    about: "Time between two readings of the venue's list of instruments",
  }),
  INGEST_FEED_ID: textSetting({
    default: '',
    about: 'Names the set of instruments that this service reads; empty: the venue',
  }),
  INGEST_REPLICA_ID: textSetting({
    default: 'a',
    about: 'Names this reader of the feed, equal over restarts; no two at work may share it',
  }),
  INGEST_WS_URL: urlSetting(['ws', 'wss'], {
    default: '',
    optional: true,
    about: "The venue's WebSocket; empty: the venue's public one",
  }),
  INGEST_REST_URL: urlSetting(['http', 'https'], {
    default: '',
    optional: true,
    about: "Base address of the venue's REST interface; empty: the venue's public one",
  }),
  ...venueSettings,
  INGEST_HEARTBEAT_MS: integerSetting({
    default: '500',
    min: 250,
    max: 1000,
    about: 'Time between two heartbeats; each asks the venue for its time',
  }),
  INGEST_HEARTBEAT_MARGIN_MS: optionalIntegerSetting(
    "How far heartbeats stay behind the venue's time; empty: what the venue's own delays ask for",
  ),
  INGEST_FUTURE_TOLERANCE_MS: integerSetting({
    default: '5000',
    about: 'A trade or heartbeat further ahead of its receive time than this is rejected',
  }),
  INGEST_MAX_IN_FLIGHT: integerSetting({
    default: '50000',
    min: 1,
    max: 400_000,
    about: 'Records that may wait for Kafka before the socket is no longer read',
  }),
  INGEST_HOLE_BUFFER: integerSetting({
    default: '20000',
    min: 1,
    about:
      'Trades of one instrument that may wait behind a hole; what comes then goes on, and the hole stays open',
  }),
  INGEST_HOLE_TRIES: integerSetting({
    default: '8',
    min: 1,
    about: "Answers of the venue's history without any progress before a hole is given up",
  }),
  INGEST_HOLE_WAIT_MS: integerSetting({
    default: '10000',
    about: 'How long heartbeats wait for an instrument of which nothing missing comes',
  }),
  INGEST_CURSOR_MS: integerSetting({
    default: '1000',
    min: 100,
    about: 'Time between two writes of the cursors that a restart begins from',
  }),
  INGEST_CONNECT_TIMEOUT_MS: integerSetting({
    default: '10000',
    min: 1,
    about: 'Longest time that a connection may take to open',
  }),
  INGEST_IDLE_TIMEOUT_MS: integerSetting({
    default: '10000',
    min: 1000,
    about: 'Silence after which a connection is taken for dead',
  }),
  INGEST_RECONNECT_MAX_MS: integerSetting({
    default: '30000',
    min: 1,
    about: 'Longest wait between two attempts to connect',
  }),
  INGEST_MAX_CONNECTION_MS: optionalIntegerSetting(
    'Age beyond which the venue cuts a connection: another one takes over before; empty: what the venue says',
  ),
  INGEST_TRACE_ONE_IN: integerSetting({
    default: '0',
    about: 'One trade in so many begins a trace, which its record carries on; 0: none',
  }),
  INGEST_RECORD_FOLDER: textSetting({
    default: '',
    about:
      "Folder for the venue's frames as they came, in the format that the simulator replays; empty: none",
  }),
  INGEST_RECORD_MAX_MB: integerSetting({
    default: '1024',
    min: 1,
    max: 10_000_000,
    about: 'Space for all recordings of the feed together; the oldest go first',
  }),
  INGEST_ADMIN_PORT: adminPortSetting(9101),
} as const

export interface IngestConfig {
  readonly kafka: { readonly connection: KafkaConnection; readonly topicPrefix: string }
  readonly registry: RegistryConnection
  readonly venue: Venue
  readonly webSocketUrl: string
  readonly restUrl: string
  readonly instruments: InstrumentSelection
  readonly catalogMs: number
  readonly feedId: string
  readonly replicaId: string
  readonly heartbeat: { readonly everyMs: number; readonly marginMs: number }
  readonly futureToleranceMs: number
  readonly maxInFlight: number
  readonly holes: { readonly buffer: number; readonly tries: number; readonly waitMs: number }
  readonly cursorMs: number
  /** One trade in so many begins a trace; 0 for none. */
  readonly traceOneIn: number
  /** undefined: frames are not recorded. */
  readonly recording: { readonly folder: string; readonly maxBytes: number } | undefined
  readonly connection: {
    readonly connectTimeoutMs: number
    readonly idleTimeoutMs: number
    readonly reconnectMaxMs: number
    /** undefined: the venue does not cut connections for their age. */
    readonly maxMs: number | undefined
  }
}

export const environment = process.env

export function readConfig(values: SettingValues<typeof settings>): IngestConfig {
  const venue = venues[values.INGEST_VENUE](readVenueSettings(values, values.INGEST_REST_URL))
  const instruments =
    values.INGEST_INSTRUMENTS.length === 0 ? venue.instruments : values.INGEST_INSTRUMENTS
  return {
    kafka: { connection: kafkaAccess(values), topicPrefix: values.TOPIC_PREFIX },
    registry: registryAccess(values),
    venue,
    webSocketUrl: values.INGEST_WS_URL || venue.webSocketUrl,
    restUrl: values.INGEST_REST_URL || venue.restUrl,
    instruments: readSelection(instruments),
    catalogMs: values.INGEST_CATALOG_MS,
    feedId: values.INGEST_FEED_ID || venue.name,
    replicaId: values.INGEST_REPLICA_ID,
    heartbeat: {
      everyMs: values.INGEST_HEARTBEAT_MS,
      marginMs: values.INGEST_HEARTBEAT_MARGIN_MS ?? venue.heartbeatMarginMs,
    },
    futureToleranceMs: values.INGEST_FUTURE_TOLERANCE_MS,
    maxInFlight: values.INGEST_MAX_IN_FLIGHT,
    holes: {
      buffer: values.INGEST_HOLE_BUFFER,
      tries: values.INGEST_HOLE_TRIES,
      waitMs: values.INGEST_HOLE_WAIT_MS,
    },
    cursorMs: values.INGEST_CURSOR_MS,
    traceOneIn: values.INGEST_TRACE_ONE_IN,
    recording:
      values.INGEST_RECORD_FOLDER === ''
        ? undefined
        : {
            folder: values.INGEST_RECORD_FOLDER,
            maxBytes: values.INGEST_RECORD_MAX_MB * 1024 ** 2,
          },
    connection: {
      connectTimeoutMs: values.INGEST_CONNECT_TIMEOUT_MS,
      idleTimeoutMs: values.INGEST_IDLE_TIMEOUT_MS,
      reconnectMaxMs: values.INGEST_RECONNECT_MAX_MS,
      maxMs: values.INGEST_MAX_CONNECTION_MS ?? venue.maxConnectionMs,
    },
  }
}
