/** Binance's answer to a bad REST request: a status and `{"code":…,"msg":…}`. */
export class BinanceError extends Error {
  override readonly name = 'BinanceError'
  readonly code: number
  readonly status: number

  constructor(code: number, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

export function invalidSymbol(): BinanceError {
  return new BinanceError(-1121, 'Invalid symbol.')
}

export function missingParameter(name: string): BinanceError {
  return new BinanceError(
    -1102,
    `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`,
  )
}

export function illegalCharacters(name: string): BinanceError {
  return new BinanceError(
    -1100,
    `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`,
  )
}

export function keyMissing(): BinanceError {
  return new BinanceError(-2014, 'API-key format invalid.', 401)
}

/** @param until milliseconds since the epoch */
export function banned(until: number): BinanceError {
  return new BinanceError(
    -1003,
    `Way too many requests; IP banned until ${until}. Please use the websocket for live updates to avoid bans.`,
    418,
  )
}

/** @param limit weight that an address has in a minute */
export function overWeight(limit: number): BinanceError {
  return new BinanceError(
    -1003,
    `Too many requests; current limit of IP is ${limit} request weight per 1 MINUTE.`,
    429,
  )
}
