import { chartKeys } from './chart-panel.tsx'
import { listed } from './instrument-catalog.ts'
import { showsHelp } from './overlays.tsx'
import { switchTheme, switchZone } from './preferences.ts'
import { instrumentId, intervals, show, viewState } from './view-state.ts'

/** Keys that work wherever no text is being typed. */
export function followKeyboard(): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (document.querySelector('dialog[open]') !== null) return
    if (act(event)) event.preventDefault()
  })
}

/** @returns whether the key means something here. */
function act({ key, shiftKey }: KeyboardEvent): boolean {
  const step = shiftKey ? 10 : 1
  const interval = intervals[Number(key) - 1]
  if (interval !== undefined) show({ interval })
  else if (key === '/') document.getElementById('search')?.focus()
  else if (key === '?') showsHelp.value = true
  else if (key === 't') switchTheme()
  else if (key === 'z') switchZone()
  else if (key === 'm') show({ view: 'market' })
  else if (key === 's') show({ view: 'statistics' })
  else if (key === 'p') show({ view: 'pipeline' })
  else if (viewState.value.view !== 'market') return false
  else if (key === 'ArrowDown') chooseInstrument(1)
  else if (key === 'ArrowUp') chooseInstrument(-1)
  else if (key === 'ArrowLeft') chartKeys.value?.(-step)
  else if (key === 'ArrowRight') chartKeys.value?.(step)
  else if (key === 'End') chartKeys.value?.('newest')
  else return false
  return true
}

function chooseInstrument(by: number): void {
  const instruments = listed.value
  const at = instruments.findIndex((each) => each.instrumentId === instrumentId.value)
  const next = instruments[Math.min(instruments.length - 1, Math.max(0, at + by))]
  if (next !== undefined) show({ instrument: next.instrumentId })
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement
  )
}
