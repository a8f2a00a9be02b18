import { emptyEwma, observe } from '@tickertape/ewma'
import type { EwmaSettings } from '@tickertape/ewma'

export interface BatchSizeOptions {
  /** Most records of a batch. */
  readonly most: number
  /** How long a commit of a full batch should take, in ms. */
  readonly targetMs: number
}

/** The last few batches count: load changes within seconds. */
const smoothing: EwmaSettings = { decay: { halflife: 3 }, adjust: true, minPeriods: 0 }

/** Before anything is known. */
const firstSize = 5_000
const leastSize = 100

/** A batch that is smaller than this part of a full one says little of what a full one takes. */
const tellingPart = 0.25

/**
 * How many records make a batch full: as many as the database takes within the target, by the mean of what a
 * record took lately. So a slow database gets small transactions, and a quick one large ones, which cost less.
 */
export class BatchSize {
  readonly #options: BatchSizeOptions
  #msPerRecord = emptyEwma

  constructor(options: BatchSizeOptions) {
    this.#options = options
  }

  get records(): number {
    const { most, targetMs } = this.#options
    const { mean } = this.#msPerRecord
    const wanted = mean === null ? firstSize : Math.floor(targetMs / Math.max(mean, 1e-6))
    return Math.min(most, Math.max(leastSize, wanted))
  }

  /** @param commitMs from the begin of the transaction that succeeded to its commit. */
  observe(records: number, commitMs: number): void {
    if (records < tellingPart * this.records) return
    this.#msPerRecord = observe(smoothing, this.#msPerRecord, commitMs / records)
  }
}
