import type { Span } from './tracing.ts'

/** Ends the span of a record that was sent, by what its producer tells of it: its offset, or why it is not in the log. */
export function endDelivered(
  span: Span,
  delivered: { readonly offset: number } | { readonly error: Error },
): void {
  if ('error' in delivered) {
    span.fail(delivered.error.message)
    return
  }
  span.set({ 'messaging.kafka.offset': delivered.offset })
  span.end()
}
