import { matchesPattern } from '@tickertape/market-api/name-pattern'

/** A test for names and patterns; what it found of a name is remembered, for a name comes many times. */
export function selectsNames(asked: readonly string[]): (name: string) => boolean {
  const names = new Set(asked.filter((pattern) => !pattern.includes('*')))
  const patterns = asked.filter((pattern) => pattern.includes('*'))
  if (patterns.length === 0) return (name) => names.has(name)
  const known = new Map<string, boolean>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const selected = names.has(name) || patterns.some((pattern) => matchesPattern(name, pattern))
    known.set(name, selected)
    return selected
  }
}
