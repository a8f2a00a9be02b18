import { setTimeout as delay } from 'node:timers/promises'

import { AnswersInOrder } from './answers-in-order.ts'
import type { BybitMarket } from './bybit-market.ts'
import { ConnectionLost } from './feed.ts'
import type { FeedConnection, Subscribed } from './feed.ts'
import { readBybitTime } from './history-bybit.ts'
import { mapBybitMessage } from './mapper-bybit.ts'
import { timeBehindBarrier } from './time-behind-barrier.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/** Most topics in one request: the limit of the spot market, which does for all. */
const topicsAtOnce = 10

/** How long the venue may take to answer a request. */
const defaultPatienceMs = 5_000

/** What the venue said to a request. */
interface Answer {
  readonly success: boolean
  readonly message: string
}

/**
 * Bybit's public WebSocket of one market. It tells no time: that is asked for over REST, and the answer to
 * `ping`, which comes behind the frames sent before it, is the barrier. As it is asked for with each
 * heartbeat, the venue has a ping more often than the 20 s that it asks for.
 */
export async function connectBybit(
  options: ConnectOptions,
  market: BybitMarket,
  { patienceMs = defaultPatienceMs } = {},
): Promise<FeedConnection> {
  const { handlers, rest, signal } = options
  // The venue does not always give the id of a ping back.
  const pings = new AnswersInOrder()
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe: (instruments) => {
      for (let at = 0; at < instruments.length; at += topicsAtOnce) {
        const args = instruments.slice(at, at + topicsAtOnce).map(topicOf)
        // Ends with the connection where the answer does not come.
        socket
          .requestNumbered((id) => ({ op: 'unsubscribe', req_id: String(id), args }))
          .catch(() => undefined)
      }
    },
    venueTime: () =>
      timeBehindBarrier(
        () => readBybitTime(rest, signal),
        () => pings.ask(socket, () => socket.send({ op: 'ping' })),
      ),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapBybitMessage(text, market, options.mapping())
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
        break
      case 'pong':
        pings.answered(from)
        break
      case 'answer': {
        const { id, success, message: said } = message
        const answer: Answer = { success, message: said }
        const awaited = id !== undefined && from.answer(id, answer)
        if (!awaited && !success) handlers.venueError(`Bybit answered ${said}`)
        break
      }
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const requests: Promise<readonly string[]>[] = []
    for (let at = 0; at < instruments.length; at += topicsAtOnce) {
      requests.push(refusedOf(instruments.slice(at, at + topicsAtOnce)))
    }
    return { refused: (await Promise.all(requests)).flat() }
  }

  /**
   * One topic that the venue does not know makes it refuse the whole request, and it names none but that
   * one: the others are asked for again without it.
   */
  async function refusedOf(instruments: readonly string[]): Promise<readonly string[]> {
    const refused: string[] = []
    let wanted = instruments
    while (wanted.length > 0) {
      const { message, success } = await ask(wanted)
      if (success) break
      const blamed = wanted.find((each) => message.endsWith(topicOf(each)))
      // Two connections never share subscriptions: this one had it.
      const subscribed = message.includes('already subscribed')
      if (!subscribed) handlers.venueError(`Bybit answered ${message}`)
      if (blamed === undefined && wanted.length > 1) {
        const apart = await Promise.all(wanted.map((each) => refusedOf([each])))
        return [...refused, ...apart.flat()]
      }
      const out = blamed ?? wanted[0]
      if (out !== undefined && !subscribed) refused.push(out)
      wanted = wanted.filter((each) => each !== out)
    }
    return refused
  }

  async function ask(instruments: readonly string[]): Promise<Answer> {
    const stop = new AbortController()
    const answer = socket.requestNumbered((id) => ({
      op: 'subscribe',
      req_id: String(id),
      args: instruments.map(topicOf),
    }))
    try {
      // What `receive` gives, or what the timer does.
      const first = (await Promise.race([
        answer,
        delay(patienceMs, undefined, { signal: AbortSignal.any([signal, stop.signal]) }),
      ])) as Answer | undefined
      if (first !== undefined) return first
      throw new ConnectionLost(`Bybit did not answer a subscription within ${patienceMs} ms`)
    } finally {
      stop.abort()
    }
  }
}

function topicOf(instrument: string): string {
  return `publicTrade.${instrument}`
}
