const zero = 48

/** PostgreSQL's text of a numeric in the normal form that records have: without zeros at its end. */
export function plainDecimal(text: string): string {
  if (text.charCodeAt(text.length - 1) !== zero || !text.includes('.')) return text
  return text.replace(/\.?0+$/, '')
}

/** A number that JavaScript writes with an exponent: below 1e-6, or from 1e21 on. */
const writtenWithExponent = /(?<=":)-?(0\.0{6}\d+|\d{22,}(\.\d+)?)(?=[,}])/g

/**
 * PostgreSQL's text of the indicators as `JSON.stringify` writes them: jsonb keeps the digits that JavaScript
 * wrote, but puts spaces in and never writes an exponent.
 */
export function jsonIndicators(text: string): string {
  if (!text.includes('"')) return text
  // A name may hold all of these too; such a text is taken apart.
  if (/\\|": "|[^"]: |", /.test(text)) return JSON.stringify(JSON.parse(text))
  return text
    .replaceAll('": ', '":')
    .replaceAll(', "', ',"')
    .replace(writtenWithExponent, (digits) => String(Number(digits)))
}
