import type { ExportEvents } from './export-queue.ts'
import type { TracingConfig } from './tracing-config.ts'
import { noTracing } from './tracing.ts'
import type { Tracing } from './tracing.ts'

export interface TracingOptions {
  readonly config: TracingConfig
  /** Its name, unless the configuration has another one. */
  readonly service: string
  readonly version?: string | undefined
  /** Tells instances of one service apart. */
  readonly instance?: string | undefined
  readonly events: ExportEvents
}

/**
 * Tracing as it is configured. The SDK is loaded only if spans go anywhere: it takes time and memory at each
 * start.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  if (options.config.exporter === 'none') return noTracing
  const { SdkTracing } = await import('./sdk-tracing.ts')
  return new SdkTracing(options)
}
