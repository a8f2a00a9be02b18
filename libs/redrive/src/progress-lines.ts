import type { RedriveProgress } from './redrive-to-log.ts'
import type { RejectedRecord, RedriveSelection } from './rejected-records.ts'

const everyMs = 2_000
/** Rejects that stay are told one by one up to here, and counted beyond. */
const keptLines = 5

/** What a person sees of a run over one stage's rejects. */
export class ProgressLines {
  readonly #write: (line: string) => void
  readonly #name: string
  readonly #waiting: number
  #kept = 0
  #toldAt = -Infinity

  constructor(
    write: (line: string) => void,
    { stage, reason, waiting }: RedriveSelection & { readonly waiting: number },
  ) {
    this.#write = write
    this.#name = `${stage}, ${reason}`
    this.#waiting = waiting
  }

  begin(redrivenBefore: number, dryRun: boolean): void {
    const before = redrivenBefore === 0 ? '' : `, ${redrivenBefore} were put back before`
    const plan = dryRun ? ' (dry run: nothing is written)' : ''
    this.#write(`${this.#name}: ${this.#waiting} to put back${before}${plan}`)
  }

  kept({ topic, partition, offset }: RejectedRecord, why: string): void {
    this.#kept += 1
    if (this.#kept > keptLines) return
    this.#write(`${this.#name}: ${topic} [${partition}] offset ${offset} stays rejected: ${why}`)
  }

  recovered(count: number): void {
    this.#write(
      `${this.#name}: ${count} that an earlier run had put back before it ended are marked`,
    )
  }

  progress({ redriven, kept }: RedriveProgress): void {
    const now = performance.now()
    if (now - this.#toldAt < everyMs) return
    this.#toldAt = now
    this.#write(`${this.#name}: ${redriven + kept} of ${this.#waiting}`)
  }

  end({ redriven, kept }: RedriveProgress, wasInterrupted: boolean): void {
    const stay = kept === 0 ? '' : `, ${kept} stay rejected`
    const ending = wasInterrupted ? '. Interrupted: run it again for the rest' : ''
    this.#write(`${this.#name}: ${redriven} put back${stay}${ending}`)
  }
}
