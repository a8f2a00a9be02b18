import type { Instrument } from './market/instrument.ts'
import type { Market } from './market/market.ts'
import { SeededMarket } from './market/seeded-market.ts'
import type { Venue } from './market/venue-name.ts'
import { readRecording } from './replay/recording.ts'
import { ReplayMarket } from './replay/replay-market.ts'
import type { SimulatedVenue, VenueContext, VenueProtocol, VenueReplay } from './venue.ts'
import { venues } from './venues.ts'

/** What is performed: the markets, from when to when, and how each is spoken. */
export interface Stage {
  readonly start: number
  /** Venue time of the last trade; undefined where trading never ends. */
  readonly end: number | undefined
  readonly acts: readonly Act[]
}

export interface Act {
  readonly market: Market
  readonly speak: (context: VenueContext) => VenueProtocol
}

export interface SeededStageOptions {
  readonly venues: readonly Venue[]
  readonly instruments: readonly Instrument[]
  readonly seed: string
  readonly rate: number
  readonly start: number
  readonly end: number | undefined
}

/** The default start of a replay: this long before its first message, so that it is not missed. */
const replayLeadMs = 1000

export function seededStage(options: SeededStageOptions): Stage {
  const { end, instruments, rate, seed, start } = options
  const acts = options.venues.map((venue) => {
    const market = new SeededMarket({ venue, instruments, seed, rate, endTime: end })
    const speak = (context: VenueContext): VenueProtocol =>
      venues[venue].speakSeeded(market, start, context)
    return { market: venues[venue].told?.(market) ?? market, speak }
  })
  return { start, end, acts }
}

/** @throws RecordingError if the file is no recording of trades; see readRecording. */
export async function replayStage(file: string, start: number | undefined): Promise<Stage> {
  const replayed = Object.values(venues).filter(canReplay)
  const messages = await readRecording(
    file,
    replayed.map(({ replay }) => replay.readMessage),
  )
  const from = start ?? (messages[0]?.dueAt ?? 0) - replayLeadMs
  const acts = replayed.flatMap(({ name, replay }) => {
    const own = messages.filter(({ venue }) => venue === name)
    if (own.length === 0) return []
    return {
      market: new ReplayMarket(name, own, (each) => replay.instrument(each)),
      speak: (context: VenueContext) => replay.speak(own, from, context),
    }
  })
  return { start: from, end: messages.at(-1)?.dueAt, acts }
}

function canReplay(
  venue: SimulatedVenue,
): venue is SimulatedVenue & { readonly replay: VenueReplay } {
  return venue.replay !== undefined
}
