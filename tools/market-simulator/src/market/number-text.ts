/** Units of 10^-decimals as plain digits: `fixedPoint(922945, 1)` is `92294.5`. */
export function fixedPoint(units: number, decimals: number): string {
  if (units < 0) return `-${fixedPoint(-units, decimals)}`
  const digits = String(units)
  if (decimals === 0) return digits
  const padded = digits.length > decimals ? digits : digits.padStart(decimals + 1, '0')
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`
}
