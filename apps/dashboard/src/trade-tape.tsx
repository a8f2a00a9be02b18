import { useEffect, useState } from 'preact/hooks'

import type { TradeResource } from '@tickertape/client'

import { clockText, digitsOf, groupDecimal } from './format.ts'
import { client, explain, generation, noteNotice } from './gateway.ts'
import { mostTrades, withTrade } from './latest-trades.ts'
import { Notice, Skeleton } from './notice.tsx'
import { zone } from './preferences.ts'

type Tape =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'live'; readonly trades: readonly TradeResource[] }

/** The latest trades, newest first. However fast they come, they are drawn once in a frame. */
export function TradeTape({ instrument }: { readonly instrument: string }) {
  const [tape, setTape] = useState<Tape>({ status: 'loading' })
  const run = generation.value
  useEffect(() => {
    setTape({ status: 'loading' })
    let trades: TradeResource[] = []
    let frame = 0
    const draw = (): void => {
      frame = 0
      setTape({ status: 'live', trades })
    }
    const subscription = client.stream().trades(
      { instruments: [instrument], snapshot: mostTrades },
      {
        event: (event) => {
          if (event.type === 'reset') return
          trades =
            event.type === 'snapshot'
              ? event.trades.toReversed().slice(0, mostTrades)
              : withTrade(trades, event.trade)
          if (frame === 0) frame = requestAnimationFrame(draw)
        },
        error: (error) => setTape({ status: 'failed', reason: explain(error) }),
        notice: noteNotice,
      },
    )
    return () => {
      cancelAnimationFrame(frame)
      subscription.close()
    }
  }, [instrument, run])
  return (
    <section class="panel tape" aria-label="Trades">
      <h2 class="panel-title">Trades</h2>
      <TapeBody tape={tape} />
    </section>
  )
}

function TapeBody({ tape }: { readonly tape: Tape }) {
  if (tape.status === 'loading') return <Skeleton rows={16} height={22} />
  if (tape.status === 'failed') {
    return <Notice title="Trades cannot be shown">{tape.reason}</Notice>
  }
  if (tape.trades.length === 0) {
    return <Notice title="No trades yet">They appear here as they are made.</Notice>
  }
  const priceDigits = Math.max(...tape.trades.map(({ price }) => digitsOf(price)))
  const quantityDigits = Math.min(
    8,
    Math.max(...tape.trades.map(({ quantity }) => digitsOf(quantity))),
  )
  // Rows stay where they are and their text changes: that is less work than moving every row, and nothing shifts.
  return (
    <div class="tape-rows" tabIndex={0} role="region" aria-label="Latest trades">
      <table>
        <thead>
          <tr>
            <th scope="col">Price</th>
            <th scope="col">Quantity</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {tape.trades.map((trade, at) => (
            <tr key={at} class={`trade trade-${trade.status}`} title={titleOf(trade)}>
              <td
                class={trade.takerSide === 'buy' ? 'up' : trade.takerSide === 'sell' ? 'down' : ''}
              >
                <span class="side" aria-hidden>
                  {trade.takerSide === 'buy' ? '▲' : trade.takerSide === 'sell' ? '▼' : ''}
                </span>
                <span class="for-readers">{trade.takerSide} </span>
                {groupDecimal(trade.price, priceDigits)}
              </td>
              <td>
                {groupDecimal(trade.quantity, quantityDigits)}
                {trade.liquidation !== null && (
                  <abbr title={`Liquidation: ${trade.liquidation}`}> L</abbr>
                )}
              </td>
              <td class="soft">{clockText(trade.eventTime, zone.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function titleOf({ tradeId, version, status }: TradeResource): string {
  return `Trade ${tradeId}${version > 0 ? `, version ${version}` : ''}${status === 'confirmed' ? '' : `, ${status}`}`
}
