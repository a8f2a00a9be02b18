import type { MarketUpdate } from '../market-view.ts'
import type { MarketIndex } from './market-index.ts'
import { candleText, statsText, tradeText } from './messages.ts'
import type { Followed } from './name-index.ts'
import type { Latest, Outbox } from './outbox.ts'

export interface Receiver {
  readonly outbox: Outbox
}

/** Told of an update that was appended for at least one receiver. */
export type OrderedTold<R> = (
  update: MarketUpdate,
  receivers: Iterable<R>,
  message: {
    readonly length: number
    /** Messages of open candles that it takes the place of. */
    readonly conflated: number
  },
) => void

/**
 * Puts every update into the outboxes of those who follow it. A message is made once, whoever gets it, and
 * not at all where nobody does.
 *
 * @param touched called for every outbox that something was put into, as often as that happens.
 * @param told called for every update that stands in its order in outboxes now.
 * @returns how many messages were replaced that had not been sent.
 */
export function fanOut<R extends Receiver>(
  index: MarketIndex<R>,
  updates: readonly MarketUpdate[],
  touched: (receiver: R) => void,
  told?: OrderedTold<R>,
): number {
  let conflations = 0
  for (const update of updates) {
    switch (update.type) {
      case 'candle': {
        const { candle } = update
        const followed = index.candles(candle.interval).heardOf(candle.instrumentId)
        if (followed.followers.size === 0) break
        const latest = { text: candleText(candle), windowStart: candle.windowStart }
        if (candle.final) {
          const conflated = appendFinal(followed, latest, touched)
          told?.(update, followed.followers.keys(), { length: latest.text.length, conflated })
        } else {
          conflations += replace(followed, latest, touched)
        }
        break
      }
      case 'trade': {
        const followed = index.trades.heardOf(update.trade.instrumentId)
        if (followed.followers.size === 0) break
        const text = tradeText(update.trade)
        for (const receiver of followed.followers.keys()) {
          receiver.outbox.append(text)
          touched(receiver)
        }
        told?.(update, followed.followers.keys(), { length: text.length, conflated: 0 })
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

/** @returns how many open candles that had not been sent it takes the place of. */
function appendFinal<R extends Receiver>(
  followed: Followed<R>,
  final: Latest,
  touched: (receiver: R) => void,
): number {
  let conflated = 0
  for (const receiver of followed.followers.keys()) {
    if (receiver.outbox.appendFinal(followed, final)) conflated += 1
    touched(receiver)
  }
  return conflated
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
