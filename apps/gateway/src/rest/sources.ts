import type { Database } from '@tickertape/market-store'

import type { MarketView } from '../market-view.ts'
import type { Catalog } from './catalog.ts'
import type { PositionTopics } from './sink-position.ts'

/** What REST answers from. */
export interface Sources {
  readonly view: MarketView
  readonly database: Pick<Database, 'query'>
  readonly catalog: Catalog
  readonly topics: PositionTopics
  /** How long after its end a candle is likely to be revised, in ms. */
  readonly revisionHorizonMs: number
  /** In ms since the epoch. */
  readonly now: () => number
}

/** The sources, once they are open. @throws ProblemError `not_ready` before. */
export type OpenSources = () => Sources
