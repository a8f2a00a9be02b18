/** JSON-RPC's own codes and those of Deribit that the simulator gives. */
export const rpcErrors = {
  parseError: { code: -32700, message: 'Parse error' },
  invalidRequest: { code: -32600, message: 'Invalid Request' },
  methodNotFound: { code: -32601, message: 'Method not found' },
  invalidParams: { code: -32602, message: 'Invalid params' },
  tooManyRequests: { code: 10028, message: 'too_many_requests' },
  invalidCredentials: { code: 13004, message: 'invalid_credentials' },
  unauthorized: { code: 13009, message: 'unauthorized' },
} as const

export type RpcFailure = keyof typeof rpcErrors

export class JsonRpcError extends Error {
  override readonly name = 'JsonRpcError'
  readonly code: RpcFailure
  readonly detail: Readonly<Record<string, unknown>> | undefined

  constructor(code: RpcFailure, detail?: Readonly<Record<string, unknown>>) {
    super(`${rpcErrors[code].message}${detail === undefined ? '' : ` ${JSON.stringify(detail)}`}`)
    this.code = code
    this.detail = detail
  }
}

/** The request's id as JSON text: a client may send a number, a string or null. */
export type RpcId = string

/**
 * @param result JSON text
 * @param time the venue's clock, milliseconds
 */
export function rpcResult(id: RpcId | undefined, result: string, time: number): string {
  return `{"jsonrpc":"2.0",${idField(id)}"result":${result},${timing(time)}}`
}

export function rpcError(id: RpcId | undefined, error: JsonRpcError, time: number): string {
  const { code, message } = rpcErrors[error.code]
  const data = error.detail === undefined ? '' : `,"data":${JSON.stringify(error.detail)}`
  return (
    `{"jsonrpc":"2.0",${idField(id)}"error":{"code":${code},` +
    `"message":${JSON.stringify(message)}${data}},${timing(time)}}`
  )
}

function idField(id: RpcId | undefined): string {
  return id === undefined ? '' : `"id":${id},`
}

function timing(time: number): string {
  return `"usIn":${time}000,"usOut":${time}100,"usDiff":100,"testnet":false`
}
