/**
 * Waits for a condition, asking again and again.
 *
 * @param what named in the error.
 * @returns what the condition gave that is neither undefined nor false.
 * @throws Error after the bound, with the last failure of the condition as its cause.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const { withinMs = 60_000, everyMs = 50 } = options
  const end = performance.now() + withinMs
  let cause: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== undefined && value !== false) return value
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > end) {
      throw new Error(`Waited ${withinMs / 1000} s in vain: ${what}`, { cause })
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
