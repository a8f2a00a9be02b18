import { OkxRefusal } from './mapper-okx.ts'
import { RestError } from './rest-client.ts'
import type { RestErrorCode } from './rest-client.ts'

/**
 * Reads an answer.
 *
 * @throws RestError with the meaning of what the venue refused.
 */
export function okxAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof OkxRefusal ? meaningOfCode(error.code) : 'unavailable'
    throw new RestError(code, `OKX's answer cannot be used: ${String(error)}`, { cause: error })
  }
}

/** What an answer with an error status says. */
export function meaningOfOkxAnswer(body: string): RestErrorCode {
  return meaningOfCode(/"code"\s*:\s*"(\d+)"/.exec(body)?.[1] ?? '')
}

/** https://www.okx.com/docs-v5, "Error Code", REST API. */
function meaningOfCode(code: string): RestErrorCode {
  // Too many requests, by address and by account.
  if (code === '50011' || code === '50061') return 'rate_limited'
  // A parameter is missing or wrong; the instrument, its family or its kind does not exist.
  return /^(?:50014|50015|51000|51001|51014|51015)$/.test(code) ? 'refused' : 'unavailable'
}
