/** @returns the bench that was asked for; undefined where none, or an unknown one, was named. */
export function readBenchName(
  args: readonly string[],
  known: readonly string[],
): string | undefined {
  const [name, ...rest] = args
  return rest.length === 0 && name !== undefined && known.includes(name) ? name : undefined
}
