/** Programs that `npm start` runs besides the stack, in the order in which they start. */
export const services = [
  { name: 'market-simulator', project: 'tools/market-simulator', port: 9100 },
  { name: 'pg-sink', project: 'apps/pg-sink', port: 9103 },
  { name: 'aggregator', project: 'apps/aggregator', port: 9102 },
  { name: 'gateway', project: 'apps/gateway', port: 9104 },
  { name: 'ingest', project: 'apps/ingest', port: 9101 },
] as const

export type ServiceName = (typeof services)[number]['name']
