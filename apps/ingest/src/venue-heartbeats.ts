import { ConnectionLost } from './feed.ts'

export interface VenueHeartbeatsOptions {
  /** How long a source may be silent. */
  readonly patienceMs: number
  /** These have not sent any heartbeat yet; they are not waited for any more. */
  readonly onSilent: (sources: readonly string[]) => void
}

interface Question {
  /** Who has not sent a heartbeat since it was asked. */
  readonly left: Set<string>
  readonly answer: PromiseWithResolvers<number>
  least: number
  askedAt: number
}

/**
 * The venue's time, out of heartbeats that it sends by itself from one or more sources. Each is behind
 * everything that its source had sent before, so the earliest of the next ones is behind everything that
 * the venue had sent when it was asked for.
 */
export class VenueHeartbeats {
  readonly #options: VenueHeartbeatsOptions
  readonly #sources = new Set<string>()
  readonly #heard = new Set<string>()
  readonly #questions = new Set<Question>()
  #ended: string | undefined
  #paused = false

  constructor(options: VenueHeartbeatsOptions) {
    this.#options = options
  }

  /** @param closed settles with the reason when the connection has ended. */
  watch(closed: Promise<string>): void {
    const everyMs = Math.max(10, this.#options.patienceMs / 10)
    const check = setInterval(() => this.#checkSilence(), everyMs)
    void closed.then((reason) => {
      clearInterval(check)
      this.#end(reason)
    })
  }

  expect(sources: readonly string[]): void {
    for (const each of sources) this.#sources.add(each)
  }

  forget(sources: readonly string[]): void {
    for (const source of sources) {
      this.#sources.delete(source)
      for (const question of this.#questions) this.#leave(question, source)
    }
  }

  /** @param time of the venue, milliseconds since the epoch. */
  heard(source: string, time: number): void {
    this.#heard.add(source)
    for (const question of this.#questions) {
      if (!question.left.has(source)) continue
      question.least = Math.min(question.least, time)
      this.#leave(question, source)
    }
  }

  /**
   * The venue's time behind everything that it had sent before.
   *
   * @throws ConnectionLost if the connection ends, or a source falls silent.
   */
  next(): Promise<number> {
    if (this.#ended !== undefined) return Promise.reject(new ConnectionLost(this.#ended))
    const answer = Promise.withResolvers<number>()
    const left = new Set(this.#sources)
    this.#questions.add({ left, answer, least: Infinity, askedAt: performance.now() })
    return answer.promise
  }

  /** While we do not read, silence is ours. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    for (const question of this.#questions) question.askedAt = performance.now()
  }

  #leave(question: Question, source: string): void {
    question.left.delete(source)
    if (question.left.size > 0 || question.least === Infinity) return
    this.#questions.delete(question)
    question.answer.resolve(question.least)
  }

  #checkSilence(): void {
    if (this.#paused) return
    const now = performance.now()
    for (const question of this.#questions) {
      if (now - question.askedAt > this.#options.patienceMs) this.#endPatience(question)
    }
  }

  #endPatience(question: Question): void {
    const silent = [...question.left]
    const fallen = silent.filter((source) => this.#heard.has(source))
    if (fallen.length > 0 || question.least === Infinity) {
      this.#questions.delete(question)
      const named = (fallen.length > 0 ? fallen : silent).slice(0, 10).join(', ')
      const { patienceMs } = this.#options
      question.answer.reject(
        new ConnectionLost(`the venue sent no heartbeat of ${named} for ${patienceMs} ms`),
      )
      return
    }
    this.#options.onSilent(silent)
    this.forget(silent)
  }

  #end(reason: string): void {
    this.#ended = reason
    for (const { answer } of this.#questions) answer.reject(new ConnectionLost(reason))
    this.#questions.clear()
  }
}
