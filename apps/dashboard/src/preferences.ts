import { effect, signal } from '@preact/signals'

export type Theme = 'dark' | 'light'
export type Zone = 'utc' | 'local'

const dark = matchMedia('(prefers-color-scheme: dark)')

/** As chosen here, or else as the system has it. */
export const chosenTheme = signal<Theme | undefined>(stored('theme', ['dark', 'light']))
export const theme = signal<Theme>('dark')
export const zone = signal<Zone>(stored('zone', ['utc', 'local']) ?? 'utc')

export function switchTheme(): void {
  chosenTheme.value = theme.value === 'dark' ? 'light' : 'dark'
}

export function switchZone(): void {
  zone.value = zone.value === 'utc' ? 'local' : 'utc'
}

/** Keeps the page in the theme, and what was chosen for the next visit. */
export function followPreferences(): void {
  const system = signal<Theme>(dark.matches ? 'dark' : 'light')
  dark.addEventListener('change', ({ matches }) => {
    system.value = matches ? 'dark' : 'light'
  })
  effect(() => {
    const next = chosenTheme.value ?? system.value
    document.documentElement.dataset['theme'] = next
    theme.value = next
  })
  effect(() => store('theme', chosenTheme.value))
  effect(() => store('zone', zone.value))
}

/** Storage that a browser denies costs the memory, not the page. */
function stored<T extends string>(name: string, known: readonly T[]): T | undefined {
  try {
    const value = localStorage.getItem(`tickertape.${name}`)
    return known.find((each) => each === value)
  } catch {
    return undefined
  }
}

function store(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`tickertape.${name}`)
    else localStorage.setItem(`tickertape.${name}`, value)
  } catch {
    // As above.
  }
}
