export type * from '@tickertape/market-api'
