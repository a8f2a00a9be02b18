import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import { asksForKey, keyTrouble, troubleTexts } from './access.ts'
import { useToken } from './gateway.ts'

export const showsHelp = signal(false)

const keys: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['↑ ↓', 'Instrument before, after'],
  ['← →', 'Candle before, after (with Shift: ten)'],
  ['End', 'Newest candle'],
  ['1 … 7', 'Interval, from 1 s to 1 d'],
  ['m  s  p', 'Markets, statistics, pipeline'],
  ['t', 'Dark or light'],
  ['z', 'UTC or local time'],
  ['?', 'This help'],
]

export function HelpOverlay() {
  return (
    <Overlay
      title="Keyboard"
      isOpen={showsHelp.value}
      onClose={() => {
        showsHelp.value = false
      }}
    >
      <dl class="keys">
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">
        Figures are exact decimals; times are event times. Charts are drawn with{' '}
        <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
          TradingView Lightweight Charts™
        </a>
        , © 2025 TradingView, Inc. The same data is served for programs:{' '}
        <a href="./docs">REST and stream</a>.
      </p>
    </Overlay>
  )
}

const keyTitles = {
  needed: 'A key is needed',
  refused: 'The key is not taken',
  ended: 'The key has ended',
} as const

/** Asks for a key or token, and says why. */
export function TokenOverlay() {
  const [token, setToken] = useState('')
  const trouble = keyTrouble.value
  return (
    <Overlay
      title={trouble === undefined ? 'Use another key' : keyTitles[trouble]}
      isOpen={asksForKey.value}
      onClose={() => {
        asksForKey.value = false
      }}
    >
      <form
        class="token-form"
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() === '') return
          useToken(token.trim())
          setToken('')
        }}
      >
        {trouble !== undefined && <p id="token-trouble">{troubleTexts[trouble]}</p>}
        <label for="token">API key or token</label>
        <input
          id="token"
          class="search"
          type="password"
          autocomplete="off"
          aria-describedby={trouble === undefined ? undefined : 'token-trouble'}
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
        <p class="soft">It is kept until this tab is closed.</p>
        <button type="submit" class="button">
          Use it
        </button>
      </form>
    </Overlay>
  )
}

function Overlay({
  title,
  isOpen,
  onClose,
  children,
}: {
  readonly title: string
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly children: ComponentChildren
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (isOpen && element?.open === false) element.showModal()
    if (!isOpen && element?.open === true) element.close()
  }, [isOpen])
  return (
    <dialog
      ref={dialog}
      class="overlay"
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        // Only the ground beside the box is the dialog itself.
        if (event.target === event.currentTarget) event.currentTarget.close()
      }}
    >
      <div class="overlay-box">
        <header>
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
