export {
  addDecimals,
  compareDecimals,
  decimalToNumber,
  divideDecimals,
  equalDecimals,
  formatDecimal,
  multiplyDecimals,
  negateDecimal,
  normalizeDecimal,
  parseDecimal,
  zero,
} from './decimal.ts'
export type { Decimal } from './decimal.ts'
export { instrumentIdOf } from './instrument-id.ts'
export { intervalMs, intervals, isInterval, windowStartOf } from './interval.ts'
export type { Interval } from './interval.ts'
export { noOptionalFacts } from './optional-facts.ts'
export type { OptionalFacts } from './optional-facts.ts'
export type * from './records.generated.ts'
