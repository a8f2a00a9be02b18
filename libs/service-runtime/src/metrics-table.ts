import type { Registry } from 'prom-client'

/**
 * All labels that a metric may have, and what bounds their values. Never an instrument, a trade, a gap, a client
 * or an address: the number of series must not grow with the market or with its users.
 */
export const boundedLabels: Readonly<Record<string, string>> = {
  by: 'what refuses a handshake: the code',
  cause: 'what stops reading: kafka',
  client: 'the role of a Kafka client in its service: the code',
  code: 'problems of the REST interface: the code',
  consumergroup: 'one for each service',
  dependency: 'kafka, registry, database',
  feed: 'the feeds that are configured',
  interval: 'candle intervals',
  kind: 'kinds of garbage collection, and of callers: Node.js, the code',
  known_by: 'memory, database',
  major: 'one for each process',
  method: 'HTTP methods of the routes',
  minor: 'one for each process',
  mode: 'ways to write a batch: the code',
  node: 'one for each process',
  outcome: 'what can become of a record: the code',
  part: 'parts of the protection of the gateway: the code',
  partition: 'partitions of a topic',
  patch: 'one for each process',
  quality: 'qualities of a candle',
  quantile: '0.5 and 0.99',
  reason: 'reasons of rejects and of closed connections: the code',
  result: 'the code',
  revision: 'one for each process',
  route: 'routes as they are registered, with the names of their parameters',
  since: 'append, event',
  source: 'stream, history',
  space: 'spaces of the heap: Node.js',
  state: 'states of a connection to PostgreSQL',
  status: 'HTTP status codes; listed, expired',
  table: 'tables of the schema',
  topic: 'topics of the system',
  type: 'kinds of resources of Node.js, and of updates: the code',
  venue: 'one for each instance of ingest',
  version: 'one for each process',
}

/** What prom-client has of a metric beyond its types. */
interface RegisteredMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labelNames: readonly string[]
}

function metricsOf(registry: Registry): readonly RegisteredMetric[] {
  // The array has the metrics themselves; their class has more than the interface that the types give.
  return registry.getMetricsAsArray() as unknown as readonly RegisteredMetric[]
}

/** Rows of the table that documents metrics, in Markdown: name, type, labels, meaning. */
export function metricsTable(registry: Registry): readonly string[] {
  return metricsOf(registry).map(({ name, help, type, labelNames }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(', ')
    return `| ${name} | ${type} | ${labels} | ${help.replaceAll('|', '\\|')} |`
  })
}

/** The rows that a document has in its sections of these titles. */
export function documentedMetrics(
  document: string,
  ...titles: readonly string[]
): readonly string[] {
  const sections = document.split(/^## /m)
  return titles.flatMap((title) => {
    const section = sections.find((each) => each.startsWith(`${title}\n`)) ?? ''
    return section.split('\n').filter((line) => /^\| [a-z][a-z0-9_]*_[a-z0-9_]* \|/.test(line))
  })
}

/** Labels of a registry's metrics that `boundedLabels` does not have, each with its metric's name. */
export function unboundedLabels(registry: Registry): readonly string[] {
  return metricsOf(registry).flatMap(({ name, labelNames }) =>
    labelNames
      .filter((label) => !Object.hasOwn(boundedLabels, label))
      .map((label) => `${name}{${label}}`),
  )
}
