/** What can go wrong between a service and Kafka or the registry, for code that must react to it. */
export type KafkaAvroErrorCode =
  | 'incompatible_schema'
  | 'registry_unreachable'
  | 'topic_missing'
  | 'partition_count_differs'
  | 'broker_unreachable'
  /** We do not trust the broker's certificate, or it does not let us in: it waits for somebody to mend that. */
  | 'access_refused'
  | 'registry_access_refused'
  | 'delivery_failed'
  | 'transaction_failed'
  | 'transactions_refused'
  | 'reading_failed'
  | 'offset_out_of_range'

export class KafkaAvroError extends Error {
  override readonly name = 'KafkaAvroError'
  readonly code: KafkaAvroErrorCode

  constructor(code: KafkaAvroErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
