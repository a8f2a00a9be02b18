/** As channels and `get_instruments` name them. */
export type DeribitKind = 'future' | 'option' | 'spot' | 'future_combo' | 'option_combo'

/** What an instrument's name tells: https://docs.deribit.com, "Naming". */
export interface DeribitName {
  readonly kind: DeribitKind
  /** Of the group that Deribit files the instrument under in `trades.{kind}.{currency}`. */
  readonly currency: string
}

/** A perpetual counts among the futures; a day is written without a leading zero. */
const future = /^(?:PERPETUAL|\d{1,2}[A-Z]{3}\d{2})$/
const option = /^\d{1,2}[A-Z]{3}\d{2}-[\dd]+-[CP]$/
const spot = /^[A-Z0-9]+_[A-Z0-9]+$/

/**
 * Reads a name such as `BTC-PERPETUAL`, `XRP_USDC-30JUN26-0d525-C`, `BTC-FS-26JUN26_PERP`,
 * `BTC-CS-19MAY26-70000_75000` or `BTC_USDC`.
 *
 * @returns undefined for a name of another form.
 */
export function readDeribitName(name: string): DeribitName | undefined {
  const dash = name.indexOf('-')
  const underlying = dash === -1 ? name : name.slice(0, dash)
  // What is settled in a coin of its own names that coin alone; the others name both.
  const [base = '', settled = base] = underlying.split('_')
  if (dash === -1) return spot.test(name) ? { kind: 'spot', currency: settled } : undefined
  const term = name.slice(dash + 1)
  const kind = kindOf(term)
  return kind === undefined || base === '' ? undefined : { kind, currency: settled }
}

function kindOf(term: string): DeribitKind | undefined {
  if (future.test(term)) return 'future'
  if (option.test(term)) return 'option'
  if (term.startsWith('FS-')) return 'future_combo'
  return /^[A-Z]+-/.test(term) ? 'option_combo' : undefined
}

/** Names come from outside, so the map has a limit: more than the venue lists. */
const maxKnown = 20_000

const known = new Map<string, boolean>()

/** Whether it is a combination, whose price is a difference and may be zero or below. */
export function isDeribitCombo(name: string): boolean {
  let isCombo = known.get(name)
  if (isCombo === undefined) {
    isCombo = readDeribitName(name)?.kind.endsWith('_combo') ?? false
    if (known.size >= maxKnown) known.clear()
    known.set(name, isCombo)
  }
  return isCombo
}
