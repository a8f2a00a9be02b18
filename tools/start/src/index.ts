export { services } from './services.ts'
export type { ServiceName } from './services.ts'
