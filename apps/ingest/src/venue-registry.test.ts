import { expect, it } from 'vitest'

import { venues } from './venue-registry.ts'
import type { VenueSettings } from './venue-settings.ts'

const settings: VenueSettings = {
  deribit: { interval: '100ms', account: undefined, archiveUrl: undefined },
  binance: { stream: 'auto', apiKey: '' },
  okx: { channel: 'trades-all' },
}

// What a venue refuses is given up at once: the codes of failures that pass are none of these.
it.each([
  ['deribit', '{"error":{"code":-32602,"message":"Invalid params"}}', true],
  ['deribit', '{"error":{"message":"not_found","code":13020}}', true],
  ['deribit', '{"error":{"code":10028,"message":"too_many_requests"}}', false],
  ['deribit', '{"error":{"code":10041,"message":"settlement_in_progress"}}', false],
  ['deribit', '{"error":{"code":13028,"message":"temporarily_unavailable"}}', false],
  ['binance', '{"code":-1121,"msg":"Invalid symbol."}', true],
  ['binance', '{"code": -1100,"msg":"Illegal characters."}', true],
  ['binance', '{"code":-1003,"msg":"Too many requests."}', false],
  ['binance', '{"code":-1001,"msg":"Internal error."}', false],
  ['binance', '{"code":-11211}', false],
  ['coinbase', '{"message":"NotFound"}', true],
  ['coinbase', '{"message":"Invalid limit"}', true],
  ['coinbase-advanced', '{"message":"Public rate limit exceeded"}', false],
  ['coinbase', '{"message":"Internal server error"}', false],
  ['kraken', '{"error":["EQuery:Unknown asset pair"]}', true],
  ['kraken', '{"error":["EGeneral:Invalid arguments:since"]}', true],
  ['kraken', '{"error":["EGeneral:Too many requests"]}', false],
  ['kraken', '{"error":["EService:Unavailable"]}', false],
  ['okx', '{"code":"51001","data":[],"msg":"Instrument ID doesn\'t exist."}', true],
  ['okx', '{"code":"50011","data":[],"msg":"Too Many Requests"}', false],
  ['okx', '{"code":"50001","data":[],"msg":"Service temporarily unavailable."}', false],
  ['bybit-spot', '{"retCode":10001,"retMsg":"Not supported symbols","result":{}}', true],
  ['bybit-linear', '{"retCode":10006,"retMsg":"Too many visits.","result":{}}', false],
  ['bybit-inverse', '{"retCode":10016,"retMsg":"Server error","result":{}}', false],
] as const)('%s answering %s refuses for good: %s', (name, body, refused) => {
  expect(venues[name](settings).saysRefused(body)).toBe(refused)
})
