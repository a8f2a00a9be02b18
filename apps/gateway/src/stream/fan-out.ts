import type { MarketUpdate } from '../market-view.ts'
import type { MarketIndex } from './market-index.ts'
import { candleText, statsText, tradeText } from './messages.ts'
import type { Followed } from './name-index.ts'
import type { Latest, Outbox } from './outbox.ts'
import type { Sending } from './sending.ts'

export interface Receiver {
  readonly outbox: Outbox
}

/**
 * Asked of an update that somebody follows, before it is put into outboxes.
 *
 * @param length of its message, in characters.
 * @returns what is told of each of the clients; undefined if it is not to be followed.
 */
export type Follow = (update: MarketUpdate, clients: number, length: number) => Sending | undefined

/**
 * Puts every update into the outboxes of those who follow it. A message is made once, whoever gets it, and
 * not at all where nobody does.
 *
 * @param touched called for every outbox that something was put into, as often as that happens.
 * @param follow undefined: no update of these is followed.
 * @returns how many messages were replaced that had not been sent.
 */
export function fanOut<R extends Receiver>(
  index: MarketIndex<R>,
  updates: readonly MarketUpdate[],
  touched: (receiver: R) => void,
  follow?: Follow,
): number {
  let conflations = 0
  for (const update of updates) {
    switch (update.type) {
      case 'candle': {
        const { candle } = update
        const followed = index.candles(candle.interval).heardOf(candle.instrumentId)
        if (followed.followers.size === 0) break
        const text = candleText(candle)
        const sending = follow?.(
          update,
          candle.final ? followed.followers.size : liveOf(followed),
          text.length,
        )
        const latest = { text, windowStart: candle.windowStart, sending }
        if (candle.final) appendFinal(followed, latest, touched)
        else conflations += replace(followed, latest, touched)
        break
      }
      case 'trade': {
        const followed = index.trades.heardOf(update.trade.instrumentId)
        if (followed.followers.size === 0) break
        const text = tradeText(update.trade)
        const sending = follow?.(update, followed.followers.size, text.length)
        for (const receiver of followed.followers.keys()) {
          receiver.outbox.append(text, sending)
          touched(receiver)
        }
        break
      }
      case 'stats': {
        const { of, span, name } = update.stats
        const followed = index.stats(of, span).heardOf(name)
        if (followed.followers.size === 0) break
        conflations += replace(followed, { text: statsText(update.stats), windowStart: 0 }, touched)
        break
      }
    }
  }
  return conflations
}

function appendFinal<R extends Receiver>(
  followed: Followed<R>,
  final: Latest,
  touched: (receiver: R) => void,
): void {
  for (const receiver of followed.followers.keys()) {
    receiver.outbox.appendFinal(followed, final)
    touched(receiver)
  }
}

/** How many want what is not final. */
function liveOf<R>({ followers }: Followed<R>): number {
  let count = 0
  for (const { live } of followers.values()) if (live > 0) count += 1
  return count
}

function replace<R extends Receiver>(
  followed: Followed<R>,
  latest: Latest,
  touched: (receiver: R) => void,
): number {
  let conflations = 0
  for (const [receiver, { live }] of followed.followers) {
    if (live === 0) continue
    if (receiver.outbox.replace(followed, latest)) conflations += 1
    touched(receiver)
  }
  return conflations
}
