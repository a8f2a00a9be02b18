export { Road, roadServices } from './road.ts'
export type { RoadOptions, RoadService } from './road.ts'
