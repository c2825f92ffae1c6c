/**
 * A number as a JSON file writes it, such as `1.5e-07`, turned into a whole number of smaller units by its digits alone: no
 * digit passes through a floating-point number.
 */

/** The longest text of a number that is read, in characters. */
const LENGTH_MAX = 100

/** The most digits that a result may have; no amount has so many. */
const DIGITS_MAX = 30

const pattern = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

export interface Scaled {
  /** Of the number times 10^shift, up to the next whole number. */
  readonly value: bigint
  /** It was not whole, and is rounded up. */
  readonly rounded: boolean
}

/**
 * The number times 10^shift: `scaleUp("1.5e-07", 12)` is `150000n`. Undefined for what is no number, and for one that is so
 * large that it can only be a mistake. A negative number is rounded away from zero.
 */
export const scaleUp = (text: string, shift: number): Scaled | undefined => {
  const match = text.length > LENGTH_MAX ? null : pattern.exec(text)
  if (match === null) return undefined
  const fraction = match[3] ?? ""
  const digits = `${match[2]}${fraction}`.replace(/^0+/, "")
  if (digits === "") return { value: 0n, rounded: false }
  const exponent = Number(match[4] ?? "0") - fraction.length + shift
  if (digits.length + exponent > DIGITS_MAX) return undefined
  const signed = (value: bigint): bigint => match[1] === "-" ? -value : value
  if (exponent >= 0) return { value: signed(BigInt(digits + "0".repeat(exponent))), rounded: false }
  const whole = digits.length + exponent > 0 ? digits.slice(0, exponent) : "0"
  const rest = digits.length + exponent > 0 ? digits.slice(exponent) : digits
  const rounded = /[1-9]/.test(rest)
  return { value: signed(BigInt(whole) + (rounded ? 1n : 0n)), rounded }
}
