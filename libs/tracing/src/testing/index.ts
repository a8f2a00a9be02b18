export { RecordedTracing } from './recorded-tracing.ts'
export type { RecordedSpan } from './recorded-tracing.ts'
export { startSpanSink } from './span-sink.ts'
export type { SentSpan, SpanAnswer, SpanRequest, SpanSink } from './span-sink.ts'
