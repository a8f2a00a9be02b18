export { RecordedTracing } from './recorded-tracing.ts'
export type { RecordedSpan } from './recorded-tracing.ts'
export { startSpanSink } from './span-sink.ts'
export type { SpanAnswer, SpanRequest, SpanSink } from './span-sink.ts'
