/** Where a sampled trace stands: what its next span is a child of. Traces that are not sampled have none here. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** The header `tracestate` as it came; passed on and not read. */
  readonly traceState?: string
}

/** Headers of a Kafka record, in the order that they were written in. */
export type MessageHeaders = readonly { readonly [name: string]: string | Buffer }[]

const traceparent = 'traceparent'
const tracestate = 'tracestate'

/**
 * https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags, and what later
 * versions add.
 */
const pattern =
  /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/
const sampledFlag = 1
/** Longer ones are no header that anybody has to read; a tracestate of up to 512 must be passed on. */
const maxLength = 512

/**
 * The sampled trace that a record is part of.
 *
 * @returns undefined without a header, for a malformed one, and for a trace that is not sampled.
 */
export function contextOf(headers: MessageHeaders | undefined): SpanContext | undefined {
  if (headers === undefined) return undefined
  const parent = lastValue(headers, traceparent)
  if (parent === undefined) return undefined
  const match = pattern.exec(parent)
  if (match === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', rest] = match
  if (version === '00' && rest !== undefined) return undefined
  if ((Number.parseInt(flags, 16) & sampledFlag) === 0) return undefined
  const traceState = lastValue(headers, tracestate)
  return traceState === undefined ? { traceId, spanId } : { traceId, spanId, traceState }
}

/** A record's headers with the trace that it is sent in; one that they had is replaced. */
export function withTraceparent(
  headers: MessageHeaders | undefined,
  context: SpanContext,
): { [name: string]: string | Buffer }[] {
  const others = (headers ?? []).filter(
    (header) => !Object.hasOwn(header, traceparent) && !Object.hasOwn(header, tracestate),
  )
  const own: { [name: string]: string }[] = [{ [traceparent]: traceparentOf(context) }]
  if (context.traceState !== undefined) own.push({ [tracestate]: context.traceState })
  return [...others, ...own]
}

/** As the header has it, version 00. */
export function traceparentOf({ traceId, spanId }: SpanContext): string {
  return `00-${traceId}-${spanId}-01`
}

/** Fields of a log line about a record of a sampled trace; none without one. */
export function traceFields(context: SpanContext | undefined): {
  readonly trace_id?: string
  readonly span_id?: string
} {
  return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId }
}

/** Kafka allows a name more than once: the last one counts. */
function lastValue(headers: MessageHeaders, name: string): string | undefined {
  const value = headers.findLast((header) => Object.hasOwn(header, name))?.[name]
  if (value === undefined || value.length > maxLength) return undefined
  return value.toString()
}
