import type { IngestConfig } from './config.ts'
import type { IngestEvents } from './events.ts'
import { FrameRecorder } from './frame-recorder.ts'

/**
 * The recorder that the settings ask for; undefined if they ask for none.
 *
 * @throws Error if the folder cannot be made.
 */
export async function openRecorder(
  { feedId, replicaId, recording }: Pick<IngestConfig, 'feedId' | 'recording' | 'replicaId'>,
  events: Pick<IngestEvents, 'notRecorded' | 'recorded' | 'recordingFailed'>,
): Promise<FrameRecorder | undefined> {
  if (recording === undefined) return undefined
  return await FrameRecorder.open({
    ...recording,
    name: `${feedId}-${replicaId}`,
    onDropped: events.notRecorded,
    onWritten: events.recorded,
    onFailure: events.recordingFailed,
  })
}
