import { request as requestInClear } from 'node:http'
import { request } from 'node:https'
import type { Agent } from 'node:https'

export interface GetOptions {
  /** How servers are trusted; Node's own way without it. */
  readonly agent: Agent | undefined
  /** For basic authentication. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined
}

const timeoutMs = 10_000

/** Fetches a text, with certificates of our own, which `fetch` takes only by way of another package. */
export async function getText(
  url: string,
  { agent, credentials }: GetOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const isSecured = url.startsWith('https:')
  const options = {
    signal: AbortSignal.timeout(timeoutMs),
    ...(isSecured && agent !== undefined ? { agent } : {}),
    ...(credentials === undefined
      ? {}
      : { auth: `${credentials.username}:${credentials.password}` }),
  }
  return await new Promise((resolve, reject) => {
    const sent = (isSecured ? request : requestInClear)(url, options, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}
