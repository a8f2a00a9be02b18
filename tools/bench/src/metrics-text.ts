/**
 * Sum of a metric over its labels, from Prometheus' text format.
 *
 * @returns undefined if the text has no such metric.
 */
export function sumMetric(text: string, name: string): number | undefined {
  const values = text.split('\n').flatMap((line) => {
    const after = line.charAt(name.length)
    const isOurs = line.startsWith(name) && (after === '{' || after === ' ')
    return isOurs ? [Number(line.slice(line.lastIndexOf(' ') + 1))] : []
  })
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}
