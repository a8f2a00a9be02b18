/** One line of Prometheus' text format. */
interface Sample {
  readonly labels: string
  readonly value: number
}

/** What a service answered at one moment. */
export class Metrics {
  readonly #samples = new Map<string, Sample[]>()

  /** @param text in Prometheus' format; lines that are none of it are passed over. */
  constructor(text: string) {
    for (const line of text.split('\n')) {
      const parts = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
      if (parts === null) continue
      const [, name = '', labels = '', value] = parts
      const samples = this.#samples.get(name)
      const sample = { labels, value: Number(value) }
      if (samples === undefined) this.#samples.set(name, [sample])
      else samples.push(sample)
    }
  }

  /** @param match only series that have it, for example `topic="candles"`. @returns undefined without any. */
  sum(name: string, match = ''): number | undefined {
    return this.#reduce(name, match, (sum, value) => sum + value)
  }

  max(name: string, match = ''): number | undefined {
    return this.#reduce(name, match, Math.max)
  }

  /** Observations up to each bound, over all series; the last bound is Infinity. */
  buckets(histogram: string, match = ''): ReadonlyMap<number, number> {
    const buckets = new Map<number, number>()
    for (const { labels, value } of this.#matching(`${histogram}_bucket`, match)) {
      const bound = /(?:^|,)le="([^"]+)"/.exec(labels)?.[1]
      const upTo = bound === '+Inf' ? Infinity : Number(bound)
      buckets.set(upTo, (buckets.get(upTo) ?? 0) + value)
    }
    return buckets
  }

  #reduce(
    name: string,
    match: string,
    join: (total: number, value: number) => number,
  ): number | undefined {
    const values = this.#matching(name, match).map(({ value }) => value)
    return values.length === 0 ? undefined : values.reduce((total, value) => join(total, value))
  }

  #matching(name: string, match: string): readonly Sample[] {
    return (this.#samples.get(name) ?? []).filter(({ labels }) => labels.includes(match))
  }
}
