/**
 * Money as exact integers: USD in micros (1 USD = 1,000,000) and CNY in fen (1 CNY = 100), both `bigint`. Decimal text
 * is parsed and printed exactly; nothing here ever passes through a floating-point number.
 */
import { Schema } from "effect"

/** An amount of USD micros. */
export const Micros = Schema.BigInt
export type Micros = typeof Micros.Type

/** An amount of CNY fen. */
export const Fen = Schema.BigInt
export type Fen = typeof Fen.Type

/** An amount in the minor unit of its currency. */
export const Minor = Schema.BigInt
export type Minor = typeof Minor.Type

/** Micros in one USD. */
export const MICROS_PER_USD = 1_000_000n

/** Fen in one CNY. */
export const FEN_PER_CNY = 100n

/** Decimal places of a USD amount in micros, of a multiplier, and of a price in USD per 1M tokens. */
export const MICROS_SCALE = 6

/** Decimal places of a CNY amount in fen. */
export const FEN_SCALE = 2

/** The largest amount that any decimal may reach: keeps sums of amounts far inside a PostgreSQL `bigint`. */
export const AMOUNT_MAX = 1_000_000_000_000_000n

/** The longest decimal text accepted, in characters. */
const DECIMAL_LENGTH_MAX = 40

const decimalPattern = /^([+-]?)(\d+)(?:\.(\d+))?$/

/**
 * Parses decimal text to an integer scaled by 10^scale, exactly: `parseDecimal("0.15", 6)` is `150000n`. Undefined when
 * the text is no plain decimal, has more significant decimals than `scale`, or exceeds {@link AMOUNT_MAX}.
 */
export const parseDecimal = (text: string, scale: number): bigint | undefined => {
  if (text.length > DECIMAL_LENGTH_MAX) return undefined
  const match = decimalPattern.exec(text.trim())
  if (match === null) return undefined
  const fraction = (match[3] ?? "").replace(/0+$/, "")
  if (fraction.length > scale) return undefined
  const magnitude = BigInt(`${match[2]}${fraction.padEnd(scale, "0")}`)
  if (magnitude > AMOUNT_MAX) return undefined
  return match[1] === "-" ? -magnitude : magnitude
}

/** How a number that is kept as an integer is written. */
export interface DecimalFormat {
  /** The integer is the number times 10^scale. */
  readonly scale: number
  /** Decimals that are written even where they are zeros; 0 where it is not given. */
  readonly decimalsMin?: number
}

/** Prints an integer as exact decimal text, with no more decimals than it needs. */
export const formatDecimal = (value: bigint, { decimalsMin = 0, scale }: DecimalFormat): string => {
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(scale + 1, "0")
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "").padEnd(decimalsMin, "0")
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`
}

/** Prints micros as USD with at least two decimals and as many more as the amount has: `1500000n` is `1.50`. */
export const formatUsd = (micros: bigint): string => formatDecimal(micros, { scale: MICROS_SCALE, decimalsMin: 2 })

/** Prints fen as CNY with two decimals: `2000n` is `20.00`. */
export const formatCny = (fen: bigint): string => formatDecimal(fen, { scale: FEN_SCALE, decimalsMin: FEN_SCALE })

const CENT_MICROS = 10_000n

const isBelowCent = (micros: bigint): boolean => micros > -CENT_MICROS && micros < CENT_MICROS

/** An amount cut to cents towards less money, so that a balance is never shown above what it is; exact below a cent. */
export const floorToCents = (micros: bigint): bigint => {
  if (isBelowCent(micros)) return micros
  const rest = micros % CENT_MICROS
  return micros - rest - (rest < 0n ? CENT_MICROS : 0n)
}

/** Integer division rounded towards positive infinity; `denominator` must be positive. */
export const divideUp = (numerator: bigint, denominator: bigint): bigint => {
  const quotient = numerator / denominator
  return numerator % denominator > 0n ? quotient + 1n : quotient
}

/** The smaller of two amounts. */
export const minimum = (a: bigint, b: bigint): bigint => a < b ? a : b

/** The larger of two amounts. */
export const maximum = (a: bigint, b: bigint): bigint => a > b ? a : b
