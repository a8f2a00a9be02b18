import { AnswersInOrder } from './answers-in-order.ts'
import { AwaitedSubscriptions } from './awaited-subscriptions.ts'
import type { FeedConnection, Subscribed } from './feed.ts'
import { readOkxTime } from './history-okx.ts'
import { mapOkxMessage } from './mapper-okx.ts'
import type { OkxChannel } from './mapper-okx.ts'
import type { OkxContracts } from './okx-contracts.ts'
import { timeBehindBarrier } from './time-behind-barrier.ts'
import type { ConnectOptions } from './venue.ts'
import { VenueSocket } from './venue-socket.ts'

/**
 * Instruments in one request. A request may be 64 KB long, and a connection may send 480 an hour.
 */
const instrumentsAtOnce = 200

/** The notice that a connection ends in a minute. */
const serviceUpgrade = '64008'

const defaultPatienceMs = 5_000

export interface OkxFeedOptions {
  readonly channel: OkxChannel
  readonly contracts: OkxContracts
  /** How long the venue may take to acknowledge a subscription. */
  readonly patienceMs?: number
}

/**
 * OKX's WebSocket. It tells no time: that is asked for over REST, and the answer to the text `ping`,
 * which comes behind the frames sent before it, is the barrier. As it is asked for with each heartbeat,
 * the venue never misses a message from us for the 30 s after which it closes a connection.
 */
export async function connectOkx(
  options: ConnectOptions,
  { channel, contracts, patienceMs = defaultPatienceMs }: OkxFeedOptions,
): Promise<FeedConnection> {
  const { handlers, rest, signal } = options
  let awaited = new AwaitedSubscriptions([])
  const pings = new AnswersInOrder()
  const socket = await VenueSocket.connect({ ...options, onMessage: receive })
  return {
    closed: socket.closed,
    subscribe,
    unsubscribe: (instruments) => {
      for (let at = 0; at < instruments.length; at += instrumentsAtOnce) {
        tell('unsubscribe', instruments.slice(at, at + instrumentsAtOnce))
      }
    },
    venueTime: () =>
      timeBehindBarrier(
        () => readOkxTime(rest, signal),
        () => pings.ask(socket, () => socket.sendText('ping')),
      ),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  }

  function receive(text: string, from: VenueSocket): void {
    const message = mapOkxMessage(text, options.mapping(), contracts.contractOf)
    switch (message.type) {
      case 'trades':
        handlers.trades(message.trades, text)
        break
      case 'pong':
        pings.answered(from)
        break
      case 'subscribed':
        awaited.accept(message.instrument)
        break
      case 'error':
        if (message.instrument !== undefined) awaited.refuse(message.instrument)
        handlers.venueError(`OKX answered ${message.code} ${message.message}`)
        break
      case 'notice': {
        const said = `OKX announces ${message.code} ${message.message}`
        if (message.code === serviceUpgrade) handlers.closing?.(said)
        else handlers.venueError(said)
        break
      }
      case 'malformed':
        handlers.malformed(text, message.message)
        break
      case 'other':
        break
    }
  }

  /**
   * Each instrument is acknowledged or refused by itself. Those of which the venue says nothing are
   * asked for once more, by themselves: the refusal of one may stop the request that it was in. A contract of
   * which it cannot be had what it is worth counts as refused, and holds back nobody.
   */
  async function subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const left = await unpriced(instruments)
    const wanted = instruments.filter((each) => !left.includes(each))
    awaited = new AwaitedSubscriptions(wanted)
    for (let at = 0; at < wanted.length; at += instrumentsAtOnce) {
      ask(wanted.slice(at, at + instrumentsAtOnce))
    }
    await awaited.settled(patienceMs, signal)
    if (awaited.open.length > 0) {
      for (const each of awaited.open.slice(0, instrumentsAtOnce)) ask([each])
      await awaited.settled(patienceMs, signal)
    }
    return { refused: [...left, ...awaited.refused, ...awaited.open] }
  }

  function ask(instruments: readonly string[]): void {
    tell('subscribe', instruments)
  }

  function tell(op: 'subscribe' | 'unsubscribe', instruments: readonly string[]): void {
    socket.send({ op, args: instruments.map((instId) => ({ channel, instId })) })
  }

  /** @returns those of which it cannot be had what they are worth: their trades would mean nothing. */
  async function unpriced(instruments: readonly string[]): Promise<readonly string[]> {
    const failures = await contracts.learn(instruments, rest, signal)
    for (const { message } of new Set(failures.values())) {
      handlers.venueError(`What contracts of OKX are worth is not known: ${message}`)
    }
    return [...failures.keys()]
  }
}
