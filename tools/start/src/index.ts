export { services } from './service-list.ts'
export type { ServiceName } from './service-list.ts'
