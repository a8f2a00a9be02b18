import { useEffect, useState } from 'preact/hooks'

import type { ResetReason } from '@tickertape/client'

import { asksForKey, keyTrouble } from './access.ts'
import { cameBack, client, streamNotice, streamState } from './gateway.ts'

/** A connection that comes back at once is not worth a word. */
const calmMs = 1_500

/** How a stream went on, in words. */
const backTexts: Readonly<Record<'whole' | ResetReason, string>> = {
  whole: 'Connected again. Nothing is missing.',
  position_too_old:
    'Connected again, after longer than the gateway remembers. What the chart missed was fetched.',
  position_unknown:
    'Connected again, to a gateway that could not go on from here. What the chart missed was fetched.',
  no_position: 'Connected again. What the chart missed was fetched.',
  fell_behind: 'This page was too slow for the stream. What the chart missed was fetched.',
}

/** Tells calmly that what is shown stands still, and that it goes on again. It lies over the page and moves nothing. */
export function ConnectionBanner() {
  const state = streamState.value
  const [shows, setShows] = useState(false)
  // A try on its way is no end of the loss that is being told of.
  const isLost = state.status === 'waiting' || (state.status === 'connecting' && shows)
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (!isLost) {
      setShows(false)
      return undefined
    }
    const patience = setTimeout(() => setShows(true), calmMs)
    return () => clearTimeout(patience)
  }, [isLost])
  useEffect(() => {
    const clock = shows ? setInterval(() => setNow(Date.now()), 500) : undefined
    return () => clearInterval(clock)
  }, [shows])
  const seconds =
    state.status === 'waiting' ? Math.max(0, Math.ceil((state.retryAt - now) / 1_000)) : 0
  const back = cameBack.value
  const notice = streamNotice.value
  const why = state.status === 'waiting' ? wordsOf(state.reason) : ''
  return (
    <div class="banner-place" role="status" aria-live="polite">
      {isLost && shows && (
        <div class="banner">
          <span>
            The connection is lost{why}. What you see stands still
            {seconds > 0 ? `; next try in ${seconds} s.` : '; trying now.'}
          </span>
          <button type="button" class="button" onClick={() => client.stream().retryNow()}>
            Try now
          </button>
        </div>
      )}
      {state.status === 'live' && back !== undefined && (
        <div class="banner banner-back">{backTexts[back]}</div>
      )}
      {notice !== undefined && (
        <div class="banner banner-notice">
          <span>{notice}</span>
          <button
            type="button"
            class="button"
            onClick={() => {
              streamNotice.value = undefined
            }}
          >
            Understood
          </button>
        </div>
      )}
    </div>
  )
}

/** What a gateway says when it closes a connection; a bare code says nothing to a person. */
function wordsOf(reason: string): string {
  return reason.startsWith('closed with code') ? '' : `: ${reason}`
}

const stateNames = {
  connecting: 'Connecting',
  live: 'Live',
  waiting: 'Reconnecting',
  unauthenticated: 'Key needed',
  closed: 'Closed',
} as const

export function ConnectionState() {
  const { status } = streamState.value
  if (keyTrouble.value !== undefined) {
    return (
      <button
        type="button"
        class="connection connection-unauthenticated"
        onClick={() => {
          asksForKey.value = true
        }}
      >
        <i aria-hidden />
        Key needed
      </button>
    )
  }
  // A view that needs no stream has none.
  if (status === 'idle') return null
  return (
    <span class={`connection connection-${status}`}>
      <i aria-hidden />
      {stateNames[status]}
    </span>
  )
}
