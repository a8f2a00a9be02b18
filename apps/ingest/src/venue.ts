import type { FeedConnection, FeedHandlers } from './feed.ts'
import type { FrameRecorder } from './frame-recorder.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import type { MappingContext } from './mapped-trade.ts'
import type { RestClient } from './rest-client.ts'
import type { VenueHistory } from './trade-history.ts'

export interface ConnectOptions {
  readonly url: string
  readonly connectTimeoutMs: number
  /** Silence after which a connection is dead. */
  readonly idleTimeoutMs: number
  readonly rest: RestClient
  /** Made anew for each frame: it holds the time of receipt. */
  readonly mapping: () => MappingContext
  readonly handlers: FeedHandlers
  readonly signal: AbortSignal
  /** The other side plays a recording: it answers nothing, and wants no account. */
  readonly isPlayed?: boolean
  /** Gets the frames as they come. */
  readonly recorder?: FrameRecorder | undefined
}

/** Everything that ingest knows of one market of a venue. */
export interface Venue {
  /** The venue in an instrumentId. */
  readonly name: string
  readonly webSocketUrl: string
  readonly restUrl: string
  readonly instruments: readonly string[]
  /**
   * How far a heartbeat stays behind the venue's time: longer than the venue holds a trade back
   * before it sends it, in ms.
   */
  readonly heartbeatMarginMs: number
  /** How long the venue lets a connection live; it cuts one that is older. */
  readonly maxConnectionMs?: number
  /** Sent with every request to the venue's REST interface; it may hold a key. */
  readonly restHeaders?: Readonly<Record<string, string>>
  /** What the venue allows over REST: requests' weights, and how fast they come back. */
  readonly restBudget: { readonly capacity: number; readonly refillPerSecond: number }
  /** What it allows of attempts to connect, each of weight 1; a few if it is not known. */
  readonly connectBudget?: { readonly capacity: number; readonly refillPerSecond: number }
  /** Whether an answer with an error status says that there were too many requests. */
  readonly saysRateLimited: (body: string) => boolean
  /**
   * Whether an answer with status 400 or 404 blames the instrument or another argument, so that the
   * same request never succeeds.
   */
  readonly saysRefused: (body: string) => boolean
  /** @throws ConnectionLost if there is no connection within the timeout. */
  connect(options: ConnectOptions): Promise<FeedConnection>
  history(rest: RestClient, mapping: () => MappingContext): VenueHistory
  /**
   * Every instrument that trades now.
   *
   * @throws RestError
   */
  catalog(rest: RestClient, signal: AbortSignal): Promise<readonly InstrumentFacts[]>
}
