import { isObject } from './venue-row.ts'

/**
 * A venue's message as the JSON object that it has to be.
 *
 * @param parse reads the text; throws for what is no JSON.
 * @returns the object, or for a person what is wrong with the text.
 */
export function messageObject(
  text: string,
  parse: (text: string) => unknown = JSON.parse,
): Readonly<Record<string, unknown>> | string {
  let message: unknown
  try {
    message = parse(text)
  } catch (error) {
    return String(error)
  }
  return isObject(message) ? message : 'not a JSON object'
}
