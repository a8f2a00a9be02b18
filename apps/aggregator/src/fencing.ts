/** librdkafka's ERR__FENCED, and the broker's INVALID_PRODUCER_EPOCH and PRODUCER_FENCED. */
const fencedCodes: readonly unknown[] = [-144, 47, 90]

/** Another process writes under this instance's name: whoever goes on would only take turns with it. */
export class InstanceFenced extends Error {
  override readonly name = 'InstanceFenced'

  constructor(transactionalId: string, options?: ErrorOptions) {
    super(
      `Another process has begun to write under the transactional id "${transactionalId}" and has fenced this one off: it is either this instance's successor, or a second instance with the same AGGREGATOR_INSTANCE_ID. Give each instance of a group an id of its own`,
      options,
    )
  }
}

/**
 * Whether an error, or what caused it, says that the producer was fenced off.
 *
 * The broker says the same of a transaction that it has ended because it took too long; only its age tells
 * the two apart, so the caller must know it.
 */
export function isFenced(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Object; at = 'cause' in at ? at.cause : undefined) {
    if ('code' in at && fencedCodes.includes(at.code)) return true
  }
  return false
}
