/** A number of a JSON text, with its digits as they were written. */
export interface ExactNumber {
  readonly rawJSON: string
}

/**
 * Parses JSON so that every number keeps its text: `JSON.stringify` of the result writes
 * `214121762240081920` and `1.0e3` as they came, where plain numbers would be rounded or rewritten.
 *
 * @throws SyntaxError if the text is no JSON.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source: string }) =>
    typeof value === 'number' && context !== undefined ? rawNumber(context.source) : value,
  )
}

function rawNumber(source: string): ExactNumber {
  return engine.rawJSON(source)
}

// The runtime has JSON.rawJSON; the library types of this compiler do not know it yet.
const engine = JSON as JSON & { rawJSON(text: string): ExactNumber }
