/** Currencies that the second version of the WebSocket calls otherwise than everything before it. */
const renamed = [
  ['BTC', 'XBT'],
  ['DOGE', 'XDG'],
] as const

const legacyNames = new Map<string, string>(renamed)
const names = new Map<string, string>(renamed.map(([name, legacy]) => [legacy, name]))

/** `XBT/USD`, the `wsname` of AssetPairs, as the WebSocket's second version writes it: `BTC/USD`. */
export function krakenSymbol(wsname: string): string {
  return wsname
    .split('/')
    .map((each) => names.get(each) ?? each)
    .join('/')
}

/** The pair's name in a request over REST: `XBTUSD` for `BTC/USD`. */
export function krakenPair(symbol: string): string {
  return symbol
    .split('/')
    .map((each) => legacyNames.get(each) ?? each)
    .join('')
}
