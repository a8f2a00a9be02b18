import { ConnectionLost } from './feed.ts'
import type { FeedConnection } from './feed.ts'
import type { FrameRecorder } from './frame-recorder.ts'
import type { VenueLimits } from './venue-limits.ts'
import type { Venue } from './venue.ts'

/**
 * What venues say where a session sends too much: Deribit's 10028, the texts of the others. A status is
 * told by the handshake itself.
 */
const tooMuch =
  /\b10028\b|too[ _]many[ _](?:requests|visits|connections)|too frequent|rate[ _]limit|msg rate|exceeds? (?:the )?limit/i

/**
 * The same venue, whose connections keep to its limits together with its requests over REST, and whose
 * frames are recorded.
 */
export function withinLimits(venue: Venue, limits: VenueLimits, recorder?: FrameRecorder): Venue {
  return {
    ...venue,
    connect: async (options) => {
      await limits.beforeConnect(options.signal)
      let connection: FeedConnection
      try {
        connection = await venue.connect({
          ...options,
          recorder,
          handlers: {
            ...options.handlers,
            venueError: (message) => {
              note(message)
              options.handlers.venueError(message)
            },
          },
        })
      } catch (error) {
        if (error instanceof ConnectionLost && error.refusal !== undefined) {
          limits.said(error.refusal)
        } else {
          note(String(error))
        }
        throw error
      }
      void connection.closed.then(note)
      return connection
    },
  }

  function note(message: string): void {
    if (tooMuch.test(message)) limits.said({ status: 0, retryAfter: null, body: message })
  }
}
