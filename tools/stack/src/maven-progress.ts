/** Turns the lines of `mvn --batch-mode` into a line of progress now and then. */
export class MavenProgress {
  readonly #onProgress: (line: string) => void
  readonly #now: () => number
  readonly #startedAt: number
  #files = 0
  #megabytes = 0
  #current = ''
  #reportedAt: number

  constructor(onProgress: (line: string) => void, now: () => number = () => performance.now()) {
    this.#onProgress = onProgress
    this.#now = now
    this.#startedAt = now()
    this.#reportedAt = this.#startedAt
  }

  /** Takes one line of Maven's output. Addresses stay out: of each file, the name alone is shown. */
  line(line: string): void {
    const [, verb, file, amount, unit] =
      /(Downloading|Downloaded) from \S+ \S*?([^/\s]+)(?: \(([\d.]+) ([kMG]?B) at .*\))?$/.exec(
        line,
      ) ?? []
    if (verb === undefined || file === undefined) return
    if (verb === 'Downloading') {
      this.#current = file
      return
    }
    this.#files += 1
    this.#megabytes += Number(amount ?? 0) * (megabytesPer[unit ?? 'B'] ?? 0)
    if (this.#now() - this.#reportedAt >= 2_000) this.#report(file)
  }

  /** To be called every few seconds: says what is being waited for while Maven says nothing. */
  tick(): void {
    if (this.#now() - this.#reportedAt >= 4_000) this.#report(this.#current)
  }

  end(): void {
    if (this.#files > 0) this.#report('done')
  }

  #report(what: string): void {
    this.#reportedAt = this.#now()
    const seconds = Math.round((this.#reportedAt - this.#startedAt) / 1000)
    this.#onProgress(
      `  ${this.#files} files, ${this.#megabytes.toFixed(0)} MB, ${seconds} s: ${what || 'starting'}`,
    )
  }
}

const megabytesPer: Readonly<Record<string, number>> = { B: 1e-6, kB: 1e-3, MB: 1, GB: 1e3 }
