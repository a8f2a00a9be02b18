import type { FeedConnection, Subscribed } from './feed.ts'
import { mapEventsMessage } from './mapper-numbered-events.ts'
import type { NumberedEvents } from './mapper-numbered-events.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/**
 * The WebSocket of a venue of the system's own. It answers in the order in which it is asked and behind
 * all events that it sent before, so the answer that tells its time is a barrier.
 */
export async function connectNumberedEvents(
  options: ConnectOptions,
  events: NumberedEvents,
): Promise<FeedConnection> {
  const { handlers } = options
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe: (instruments) => {
      // Ends with the connection where the answer does not come.
      socket.request({ op: 'unsubscribe', instruments }).catch(() => undefined)
    },
    venueTime: async () => {
      const time = await socket.request({ op: 'time' })
      return typeof time === 'number' ? time : undefined
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapEventsMessage(text, options.mapping(), events)
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
        break
      case 'answer':
        from.answer(message.id, message.result)
        break
      case 'error':
        if (!from.fail(message.id, message.message)) handlers.venueError(message.message)
        break
      case 'malformed':
        handlers.malformed(text, message.message)
        break
    }
  }

  /** An instrument that is refused is absent from the answer. */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const result = await socket.request({ op: 'subscribe', instruments })
    const accepted = new Set<unknown>(Array.isArray(result) ? result : [])
    return { refused: instruments.filter((each) => !accepted.has(each)) }
  }
}
