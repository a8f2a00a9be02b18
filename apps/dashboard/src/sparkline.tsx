/** The course of a price, drawn small. */
export function Sparkline({
  values,
  width = 72,
  height = 22,
}: {
  readonly values: readonly string[]
  readonly width?: number
  readonly height?: number
}) {
  const numbers = values.map(Number)
  if (numbers.length < 2) return <svg class="sparkline" width={width} height={height} aria-hidden />
  const low = Math.min(...numbers)
  const range = Math.max(...numbers) - low || 1
  const step = width / (numbers.length - 1)
  const points = numbers
    .map(
      (value, at) =>
        `${(at * step).toFixed(1)},${(height - 2 - ((value - low) / range) * (height - 4)).toFixed(1)}`,
    )
    .join(' ')
  const rises = (numbers.at(-1) ?? 0) >= (numbers[0] ?? 0)
  return (
    <svg
      class={`sparkline ${rises ? 'up' : 'down'}`}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden
    >
      <polyline points={points} />
    </svg>
  )
}
