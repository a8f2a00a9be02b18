/**
 * Sum of a metric over its labels, from Prometheus' text format.
 *
 * @param labels only lines with all of these, for example `table="trades"`.
 * @returns undefined if the text has no such line.
 */
export function sumMetric(
  text: string,
  name: string,
  labels: readonly string[] = [],
): number | undefined {
  let sum: number | undefined
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue
    const after = line.charAt(name.length)
    if (after !== '{' && after !== ' ') continue
    if (!labels.every((label) => line.includes(label))) continue
    sum = (sum ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return sum
}
