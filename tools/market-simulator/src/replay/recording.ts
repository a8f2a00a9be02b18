import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import type { Venue } from '../market/instrument.ts'
import type { RecordedTrade } from '../market/market.ts'

/** One WebSocket message of a recording that carries trades. */
export interface RecordedMessage {
  readonly venue: Venue
  /** The channel or stream whose subscribers get it. */
  readonly channel: string
  /** The message's own event time; milliseconds since the epoch. */
  readonly eventTime: number
  /** The exact text. */
  readonly raw: string
  readonly trades: readonly RecordedTrade[]
}

/** A message and when the replay's clock lets it out: never before the one in front of it. */
export interface DueMessage extends RecordedMessage {
  readonly dueAt: number
}

/** @returns undefined if the message carries none of the venue's trades */
export type ReadMessage = (content: unknown, raw: string) => RecordedMessage | undefined

export class RecordingError extends Error {
  override readonly name = 'RecordingError'
}

const recordedLine = z.object({ dir: z.enum(['in', 'out']).nullish(), raw: z.string() })

const inflate = promisify(gunzip)

/**
 * Reads a recording: gzip, one `{"t":…,"conn":…,"dir":"in"|"out"|null,"raw":"<exact text>"}` a line.
 *
 * The recorder's clock (`t`) is not used, because recorders have been seen behind the venue: a
 * message is due at its own event time, or with the latest one before it. Messages without trades
 * (acknowledgements, heartbeats) are left out; the simulator writes its own.
 *
 * @param readers of the venues that can be replayed; each leaves other venues' messages alone
 * @throws RecordingError if the file cannot be read, a line is malformed, or there are no trades.
 */
export async function readRecording(
  file: string,
  readers: readonly ReadMessage[],
): Promise<readonly DueMessage[]> {
  const messages: DueMessage[] = []
  let dueAt = 0
  for (const [index, line] of (await readText(file)).split('\n').entries()) {
    if (line === '') continue
    const message = readLine(line, readers, `${file}, line ${index + 1}`)
    if (message === undefined) continue
    dueAt = Math.max(dueAt, message.eventTime)
    messages.push({ ...message, dueAt })
  }
  if (messages.length > 0) return messages
  throw new RecordingError(`${file} holds no trades of Binance spot or Deribit to replay`)
}

async function readText(file: string): Promise<string> {
  try {
    return String(await inflate(await readFile(file)))
  } catch (error) {
    throw new RecordingError(`Cannot read the recording ${file}: it must be a gzip file`, {
      cause: error,
    })
  }
}

function readLine(
  line: string,
  readers: readonly ReadMessage[],
  where: string,
): RecordedMessage | undefined {
  try {
    const { dir, raw } = recordedLine.parse(JSON.parse(line))
    if (dir !== 'in') return undefined
    const content: unknown = JSON.parse(raw)
    for (const read of readers) {
      const message = read(content, raw)
      if (message !== undefined) return message
    }
    return undefined
  } catch (error) {
    throw new RecordingError(`${where} is no line of a recording`, { cause: error })
  }
}
