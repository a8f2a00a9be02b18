import { ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'

import type { ExportQueueLimits } from './tracing-config.ts'

export interface ExportEvents {
  /** The exporter took them. */
  spansSent(count: number): void
  /** Nobody gets them. */
  spansDropped(count: number, reason: string): void
}

/** How often the exporter is given the same spans before they are dropped. */
const maxTries = 3

/**
 * Spans on their way to the exporter, one request at a time. What does not fit is dropped and counted, and so
 * is what the exporter refuses three times; nobody ever waits for it.
 *
 * The SDK's own BatchSpanProcessor drops what does not fit without saying so, gives up a batch at the first
 * refusal, and holds an ending process for its whole timeout.
 */
export class ExportQueue implements SpanProcessor {
  readonly #exporter: SpanExporter
  readonly #limits: ExportQueueLimits
  readonly #events: ExportEvents
  #waiting: ReadableSpan[] = []
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #tries = 0
  #ended = false

  constructor(exporter: SpanExporter, limits: ExportQueueLimits, events: ExportEvents) {
    this.#exporter = exporter
    this.#limits = limits
    this.#events = events
  }

  /** Spans that wait, those in the request under way among them. */
  get waiting(): number {
    return this.#waiting.length
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#ended || this.#waiting.length >= this.#limits.maxSpans) {
      this.#events.spansDropped(1, this.#ended ? 'the service ends' : 'the queue is full')
      return
    }
    this.#waiting.push(span)
    if (this.#sending !== undefined) return
    // A batch that was refused waits for its time.
    const isDue = this.#tries === 0 && this.#waiting.length >= this.#limits.maxBatch
    this.#sendWithin(isDue ? 0 : this.#limits.delayMs)
  }

  /** Gives the exporter what waits, once each. */
  async forceFlush(): Promise<void> {
    this.#cancelTimer()
    await this.#sending
    while (this.#waiting.length > 0 && (await this.#sendBatch())) {
      // Until all is sent or the exporter refuses.
    }
  }

  async shutdown(): Promise<void> {
    await this.forceFlush()
    await this.end()
  }

  /** Drops what is left. */
  async end(): Promise<void> {
    this.#ended = true
    this.#cancelTimer()
    const left = this.#waiting.length
    this.#waiting = []
    if (left > 0) this.#events.spansDropped(left, 'the service ends')
    await this.#exporter.shutdown()
  }

  #sendWithin(ms: number): void {
    if (ms === 0) this.#cancelTimer()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#sending = this.#send()
    }, ms).unref()
  }

  #cancelTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Full batches, and a smaller one that has waited for its time. */
  async #send(): Promise<void> {
    let isTaken = await this.#sendBatch()
    while (isTaken && this.#waiting.length >= this.#limits.maxBatch) {
      isTaken = await this.#sendBatch()
    }
    this.#sending = undefined
    if (this.#waiting.length > 0 && !this.#ended) this.#sendWithin(this.#limits.delayMs)
  }

  /** @returns whether the exporter took it. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#waiting.slice(0, this.#limits.maxBatch)
    const refusal = await exported(this.#exporter, batch)
    // Dropped meanwhile.
    if (this.#ended) return false
    this.#tries += 1
    if (refusal !== undefined && this.#tries < maxTries) return false
    this.#tries = 0
    this.#waiting.splice(0, batch.length)
    if (refusal === undefined) this.#events.spansSent(batch.length)
    else this.#events.spansDropped(batch.length, refusal)
    return refusal === undefined
  }
}

/** @returns why it was refused; undefined if it was taken. */
function exported(
  exporter: SpanExporter,
  batch: readonly ReadableSpan[],
): Promise<string | undefined> {
  return new Promise((resolve) => {
    try {
      exporter.export([...batch], ({ code, error }) => {
        if (code === ExportResultCode.SUCCESS) resolve(undefined)
        else resolve(error === undefined ? 'refused' : reasonOf(error))
      })
    } catch (error) {
      resolve(reasonOf(error))
    }
  })
}

/** fetch says what happened in the cause, and an AggregateError in its errors. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const causes = error instanceof AggregateError ? error.errors : [error.cause]
  return [error.message, ...causes.filter((cause) => cause !== undefined).map(reasonOf)]
    .filter((part) => part !== '')
    .join(': ')
}
