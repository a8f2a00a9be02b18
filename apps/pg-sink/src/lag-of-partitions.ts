import type { GroupLag, LogReader, PartitionHandlers } from '@tickertape/kafka-avro'

/** The same handlers, whose partitions' lag is kept; what is committed is told to it by whoever commits. */
export function withLag(
  handlers: PartitionHandlers,
  lag: GroupLag,
  reader: Pick<LogReader, 'lastKnownEnd' | 'readUpTo'>,
): PartitionHandlers {
  return {
    assigned: async (partitions) => {
      const positions = await handlers.assigned(partitions)
      lag.begin(positions)
      return positions
    },
    revoked: async (partitions, lost) => {
      lag.end()
      await handlers.revoked(partitions, lost)
    },
    process: async (records) => {
      lag.read(records)
      await handlers.process(records)
      lag.look(reader, Date.now())
    },
  }
}
