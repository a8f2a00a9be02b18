export { readOptions } from './config.ts'
export { screen } from './screen.ts'
