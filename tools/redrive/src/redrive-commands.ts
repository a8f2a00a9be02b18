import { rejectReasons } from '@tickertape/kafka-avro'
import type { RejectReason, RejectStage } from '@tickertape/kafka-avro'

/** The command of each service that knows what to do with the rejects of these stages. */
const commands: readonly { readonly main: string; readonly stages: readonly RejectStage[] }[] = [
  { main: 'apps/ingest/src/redrive-main.ts', stages: ['ingest'] },
  { main: 'apps/pg-sink/src/redrive-main.ts', stages: ['aggregator', 'pg-sink'] },
]

/** The commands that put rejects of a reason back, in the order in which the trades go through the services. */
export function commandsFor(reason: RejectReason): readonly string[] {
  const stages: readonly RejectStage[] = rejectReasons[reason]
  return commands
    .filter((command) => command.stages.some((stage) => stages.includes(stage)))
    .map(({ main }) => main)
}
