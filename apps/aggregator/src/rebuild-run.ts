import type { PartitionAggregation } from '@tickertape/candles'
import type { Candle } from '@tickertape/market-model'

import type { AggregatorEvents } from './events.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { RebuildRefused, rebuildCandles } from './rebuild-candles.ts'
import type { RebuildRequest } from './rebuild-candles.ts'
import type { RestoreSources } from './restore.ts'

type Step =
  | { readonly kind: 'candles'; readonly candles: readonly Candle[] }
  | { readonly kind: 'done'; readonly rebuilt: PartitionAggregation }
  | { readonly kind: 'failed'; readonly error: unknown }

/**
 * A rebuild under way: computed in the background, chunk by chunk, while the partition stands still at the
 * record that asked for it. Each chunk goes out in a transaction that records how many candles are
 * written, so that a successor computes them again and leaves those out.
 */
export class RebuildRun {
  readonly #request: RebuildRequest
  readonly #events: AggregatorEvents
  readonly #candles: AsyncGenerator<readonly Candle[], PartitionAggregation>
  readonly #began = performance.now()
  /** Candles that a predecessor has written. */
  #toSkip: number
  #emitted = 0
  #step: Step | undefined

  private constructor(
    sources: RestoreSources & { readonly events: AggregatorEvents },
    request: RebuildRequest,
    written: number,
    signal: AbortSignal,
  ) {
    this.#request = request
    this.#events = sources.events
    this.#toSkip = written
    this.#candles = rebuildCandles(sources, request, signal)
    void this.#compute()
    sources.events.rebuildStarted({ ...this.#description(), written })
  }

  static start(
    sources: RestoreSources & { readonly events: AggregatorEvents },
    owned: OwnedPartition,
    stop: Pick<RebuildRequest, 'offset' | 'rebuild'>,
    signal: AbortSignal,
  ): RebuildRun {
    const { rebuildProgress } = owned
    const written = rebuildProgress?.offset === stop.offset ? rebuildProgress.candles : 0
    const { offset, rebuild } = stop
    const { partition, aggregation: live } = owned
    if (live === undefined) throw new Error('A partition without state asks for no rebuild')
    return new RebuildRun(sources, { partition, offset, rebuild, live }, written, signal)
  }

  /**
   * Hands the partition what is computed by now.
   *
   * @returns whether the rebuild is at its end.
   * @throws what ended the computation, unless that refuses the rebuild.
   */
  emitInto(owned: OwnedPartition): boolean {
    const step = this.#step
    // One chunk a transaction: what waits for its commit is bounded.
    if (step === undefined || owned.hasCandles) return false
    this.#step = undefined
    if (step.kind === 'candles') {
      this.#emit(owned, step.candles)
      void this.#compute()
      return false
    }
    if (step.kind === 'done') {
      const { offset, rebuild, live } = this.#request
      live.adoptRebuilt(step.rebuilt, offset, rebuild)
      owned.finishRebuild('rebuild')
      this.#events.rebuildFinished({
        ...this.#description(),
        candles: this.#emitted,
        seconds: (performance.now() - this.#began) / 1000,
      })
      return true
    }
    if (!(step.error instanceof RebuildRefused)) throw step.error
    this.#events.rebuildRefused(step.error.message, this.#description())
    owned.finishRebuild('rebuild_refused')
    return true
  }

  /** Never fails: what went wrong is its step. */
  async #compute(): Promise<void> {
    try {
      const { done, value } = await this.#candles.next()
      this.#step =
        done === true ? { kind: 'done', rebuilt: value } : { kind: 'candles', candles: value }
    } catch (error) {
      this.#step = { kind: 'failed', error }
    }
  }

  #emit(owned: OwnedPartition, candles: readonly Candle[]): void {
    const skipped = Math.min(this.#toSkip, candles.length)
    this.#toSkip -= skipped
    this.#emitted += candles.length
    if (skipped === candles.length) return
    owned.addRebuilt(candles.slice(skipped), {
      offset: this.#request.offset,
      candles: this.#emitted,
    })
  }

  #description() {
    const { partition, offset, rebuild } = this.#request
    return {
      partition,
      rebuildId: offset,
      from: new Date(rebuild.fromTime).toISOString(),
      to: new Date(rebuild.toTime).toISOString(),
      fromOffset: rebuild.fromOffset,
    }
  }
}
