import { useEffect, useState } from 'preact/hooks'

import { cameBack, client, streamState } from './gateway.ts'

/** A connection that comes back at once is not worth a word. */
const calmMs = 1_500

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
  return (
    <div class="banner-place" role="status" aria-live="polite">
      {isLost && shows && (
        <div class="banner">
          <span>
            The connection is lost. What you see stands still
            {seconds > 0 ? `; next try in ${seconds} s.` : '; trying now.'}
          </span>
          <button type="button" class="button" onClick={() => client.stream().retryNow()}>
            Try now
          </button>
        </div>
      )}
      {state.status === 'live' && back !== undefined && (
        <div class="banner banner-back">
          {back === 'whole'
            ? 'Connected again. Nothing is missing.'
            : 'Connected again. What was missed was fetched.'}
        </div>
      )}
    </div>
  )
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
  // A view that needs no stream has none.
  if (status === 'idle') return null
  return (
    <span class={`connection connection-${status}`}>
      <i aria-hidden />
      {stateNames[status]}
    </span>
  )
}
