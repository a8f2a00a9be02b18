/** Where spans go, and how. */
export interface TracingConfig {
  /** `none`: no spans are made. */
  readonly exporter: 'none' | 'otlp' | 'zipkin'
  /** Address that spans are posted to, the whole path. */
  readonly endpoint: string
  /** Empty: what the resource says, and without that the service itself. */
  readonly serviceName: string
  /** What is said of the service beside its name, version and instance. */
  readonly resource: Readonly<Record<string, string>>
  readonly queue: ExportQueueLimits
}

export interface ExportQueueLimits {
  /** Spans that may wait; what comes on top of them is dropped and counted. */
  readonly maxSpans: number
  /** Most spans in one request. */
  readonly maxBatch: number
  /** How long spans wait for company, and between two tries, in ms. */
  readonly delayMs: number
  /** How long one request may take, in ms. */
  readonly timeoutMs: number
}
