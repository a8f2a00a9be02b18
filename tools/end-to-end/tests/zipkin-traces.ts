/** A span as Zipkin's API has it: https://zipkin.io/zipkin-api/#/default/get_traces. Names are in lower case. */
export interface ZipkinSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly name: string
  readonly kind?: 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER'
  /** us since the epoch. */
  readonly timestamp: number
  /** us */
  readonly duration: number
  readonly localEndpoint: { readonly serviceName: string }
  readonly tags: Readonly<Record<string, string>>
}

/** Which spans, by service and name. */
export interface HopName {
  readonly service: string
  readonly name: string
}

/** The spans of one trace. */
export class Trace {
  readonly #spans: readonly ZipkinSpan[]

  constructor(spans: readonly ZipkinSpan[]) {
    this.#spans = spans
  }

  get traceId(): string | undefined {
    return this.#spans[0]?.traceId
  }

  /**
   * The first span of a service and a name.
   *
   * @param parent only its children.
   */
  find({ service, name }: HopName, parent?: ZipkinSpan): ZipkinSpan | undefined {
    return this.all({ service, name }).find(
      ({ parentId }) => parent === undefined || parentId === parent.id,
    )
  }

  all({ service, name }: HopName): readonly ZipkinSpan[] {
    return this.#spans.filter(
      (span) => span.localEndpoint.serviceName === service && span.name === name,
    )
  }
}

/** Asks a Zipkin server. */
export class ZipkinTraces {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** The latest traces that have such a span. */
  async having({ service, name }: HopName): Promise<readonly Trace[]> {
    const query = new URLSearchParams({ serviceName: service, spanName: name, limit: '500' })
    const answer = await fetch(`${this.#url}/api/v2/traces?${query.toString()}`)
    if (!answer.ok) throw new Error(`Zipkin answers ${answer.status}: ${await answer.text()}`)
    // As its API describes it.
    const traces = (await answer.json()) as readonly (readonly ZipkinSpan[])[]
    return traces.map((spans) => new Trace(spans))
  }
}
