import fc from 'fast-check'

/** Positive numbers as venues write them, up to 24 digits and 18 decimals. */
export const decimalTexts = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 24n }), fc.integer({ min: 0, max: 18 }))
  .map(([units, decimals]) => {
    if (decimals === 0) return String(units)
    const digits = String(units).padStart(decimals + 1, '0')
    return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
  })

/** The same number as formatDecimal writes it. */
export function plainDigits(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
