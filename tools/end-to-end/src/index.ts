export { recordsOf } from './records-of.ts'
export type { LoggedRecord } from './records-of.ts'
export { Road, roadServices } from './road.ts'
export type { RoadOptions, RoadService } from './road.ts'
