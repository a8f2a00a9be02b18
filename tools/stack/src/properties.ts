/**
 * Reads Java's `.properties` text as far as our own files use it: `key=value` lines, `#` comments,
 * no continuation lines.
 *
 * @throws {SyntaxError} naming the line that is neither
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    if (equals <= 0 || line.endsWith('\\')) {
      throw new SyntaxError(`Line ${index + 1} must be key=value on one line, got "${line}"`)
    }
    properties.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim())
  }
  return properties
}

/** Writes `.properties` text that Java reads back as the same pairs, in the order of the map. */
export function renderProperties(properties: ReadonlyMap<string, string>): string {
  return [...properties].map(([key, value]) => `${escapeKey(key)}=${escapeValue(value)}\n`).join('')
}

function escapeKey(key: string): string {
  return escapeValue(key).replaceAll(/[ :=#!]/g, '\\$&')
}

/** Java drops spaces before a value and takes a backslash as an escape. */
function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replace(/^ /, '\\ ')
}
