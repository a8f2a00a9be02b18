import type { Span } from './measure.ts'
import { Metrics } from './metrics.ts'

/** What a service answers when it is asked. */
export type Answer =
  | { readonly metrics: string; readonly readiness: Readiness }
  | { readonly unreachable: string }

export interface Readiness {
  readonly ready: boolean
  /** Why it is not, and what it lacks though it is. */
  readonly reasons: readonly string[]
}

/** How a service stands. */
export type Standing =
  | { readonly state: 'down'; readonly reason: string }
  | { readonly state: 'up'; readonly readiness: Readiness; readonly span: Span }

interface Told {
  readonly at: number
  readonly metrics: Metrics
}

/** Rates are over so long, in ms: a candle a second shows, and a change soon does. */
const spanMs = 10_000

/** What a service said lately. A process that was started anew begins a new history. */
export class ServiceHistory {
  #told: Told[] = []

  /** @param at in ms of a clock that does not jump. */
  add(answer: Answer, at: number): Standing {
    if ('unreachable' in answer) {
      this.#told = []
      return { state: 'down', reason: answer.unreachable }
    }
    const metrics = new Metrics(answer.metrics)
    const started = metrics.sum('process_start_time_seconds')
    this.#told = this.#told.filter(
      (told) =>
        at - told.at <= spanMs && told.metrics.sum('process_start_time_seconds') === started,
    )
    const [first] = this.#told
    this.#told.push({ at, metrics })
    return {
      state: 'up',
      readiness: answer.readiness,
      span: {
        before: first?.metrics,
        now: metrics,
        seconds: first === undefined ? 0 : (at - first.at) / 1000,
      },
    }
  }
}
