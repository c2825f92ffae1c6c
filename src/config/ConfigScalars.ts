/**
 * The kinds of values that config.yaml may hold, as schemas over whatever YAML or the environment gave: a number and its
 * text mean the same. Amounts and rates are exact decimals, and a refusal says what was expected without ever repeating
 * a text that could be a secret.
 * @internal
 */
import { Effect, Redacted, Schema, SchemaIssue, SchemaTransformation } from "effect"
import { isIP } from "node:net"
import { readEpayColumn } from "../domain/EpayBill.ts"
import { formatDecimal, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { fits, type Term, type TermKind, type TermValue } from "../domain/Term.ts"
import { baseUrlOf } from "./OutboundUrl.ts"
import { zoneNamed } from "./TimeZones.ts"

/** The longest received value that a message repeats, in characters; only plain numbers are ever repeated. */
const ECHO_LENGTH_MAX = 24

/** The text of a scalar as it was meant: a string trimmed, a number in its shortest exact form. */
const textOf = (raw: unknown): string | undefined => {
  if (typeof raw === "string") return raw.trim()
  return typeof raw === "number" && Number.isFinite(raw) ? String(raw) : undefined
}

const received = (raw: unknown): string => {
  const text = textOf(raw)
  if (text === "") return ", got an empty value"
  if (text !== undefined && text.length <= ECHO_LENGTH_MAX && /^[-+.\deE]+$/.test(text)) return `, got ${text}`
  if (Array.isArray(raw)) return ", got a list"
  if (typeof raw === "object") return ", got a mapping"
  return typeof raw === "string" ? ", got some other text" : `, got a ${typeof raw}`
}

/** A scalar that `parse` understands; undefined from it is the error "expected <expected>, got ...". */
const scalar = <A>(expected: string, parse: (raw: unknown) => A | undefined) =>
  Schema.Unknown.pipe(
    Schema.decodeTo(
      Schema.declare((_value: unknown): _value is A => true),
      SchemaTransformation.transformEffect<A, unknown>({
        decode: (raw) => {
          const value = parse(raw)
          return value === undefined
            ? Effect.fail(new SchemaIssue.InvalidValue({ message: `expected ${expected}${received(raw)}` }))
            : Effect.succeed(value)
        },
        encode: (value) => Effect.succeed(value)
      })
    )
  )

/** A key that may be left out; `value` is its default, written as it would be in the file. */
export const orElse = <A>(schema: ReturnType<typeof scalar<A>>, value: unknown) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

export const Text = scalar<string>("a text", textOf)

/** A text of a bounded length, in characters, that a database and a page can show. */
export const textUpTo = (min: number, max: number) =>
  scalar<string>(`a text of ${min} to ${max} characters`, (raw) => {
    const text = textOf(raw)
    return text !== undefined && text.length >= min && text.length <= max && !/\p{Cc}/u.test(text.replaceAll("\n", ""))
      ? text
      : undefined
  })

/** A host name or IP address, in lower case. */
export const Host = scalar<string>("a host name or an IP address", (raw) => {
  const text = textOf(raw)?.toLowerCase().replace(/^\[|\]$/g, "")
  return text !== undefined && /^[a-z0-9.:-]{1,253}$/.test(text) ? text : undefined
})

export const NonEmptyText = scalar<string>("a text that is not empty", (raw) => textOf(raw) || undefined)

export const Secret = scalar<Redacted.Redacted<string>>("a text", (raw) => {
  const text = textOf(raw)
  return text === undefined ? undefined : Redacted.make(text)
})

export const PostgresUrl = scalar<Redacted.Redacted<string>>("a postgres:// URL, or nothing", (raw) => {
  const text = textOf(raw)
  if (text === undefined) return undefined
  return text === "" || (/^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text)) ? Redacted.make(text) : undefined
})

const flagOf = (raw: unknown): boolean | undefined => {
  if (typeof raw === "boolean") return raw
  const text = textOf(raw)
  return text === "true" ? true : text === "false" ? false : undefined
}

export const Flag = scalar<boolean>("true or false", flagOf)

/** An integer in a closed range. */
export const integer = (min: number, max: number) =>
  scalar<number>(`an integer from ${min} to ${max}`, (raw) => {
    const text = textOf(raw)
    if (text === undefined || !/^[-+]?\d{1,15}$/.test(text)) return undefined
    const value = Number(text)
    return value >= min && value <= max ? value : undefined
  })

/** One of a few words, in any case. */
export const oneOf = <const Words extends ReadonlyArray<string>>(words: Words) =>
  scalar<Words[number]>(words.join(" or "), (raw) => words.find((word) => word === textOf(raw)?.toLowerCase()))

const nonNegative = (value: bigint | undefined): bigint | undefined =>
  value === undefined || value < 0n ? undefined : value

const expectedOf = (kind: TermKind): string => {
  switch (kind.is) {
    case "integer":
      return `an integer from ${kind.min} to ${kind.max}`
    case "decimal": {
      const [min, max] = [kind.min, kind.max].map((bound) => formatDecimal(bound, MICROS_SCALE, 0))
      return `a decimal string of at most ${MICROS_SCALE} decimals, from ${min} to ${max}`
    }
    case "flag":
      return "true or false"
    case "choice":
      return kind.options.join(" or ")
    case "choices":
      return `a list of any of ${kind.options.join(", ")}`
  }
}

const valueOf = (kind: TermKind, raw: unknown): TermValue | undefined => {
  const text = textOf(raw)
  switch (kind.is) {
    case "integer":
      return text !== undefined && /^[-+]?\d{1,15}$/.test(text) ? Number(text) : undefined
    case "decimal":
      return text
    case "flag":
      return flagOf(raw)
    case "choice":
      return text?.toLowerCase()
    case "choices":
      return Array.isArray(raw) ? raw.map((item) => textOf(item)?.toLowerCase() ?? "") : undefined
  }
}

/** A term of a model or a channel, checked by its own bounds. */
export const ofTerm = <T>({ kind }: Term<T>) =>
  scalar<TermValue>(expectedOf(kind), (raw) => {
    const value = valueOf(kind, raw)
    return fits(kind, value) ? value : undefined
  })

/** A decimal as an integer scaled by 10^scale, zero or more. */
export const decimal = (scale: number) =>
  scalar<bigint>(`a decimal string of at most ${scale} decimals, zero or more`, (raw) => {
    const text = textOf(raw)
    return text === undefined ? undefined : nonNegative(parseDecimal(text, scale))
  })

/** The same, or nothing: null for an empty text. */
export const optionalDecimal = (scale: number) =>
  scalar<bigint | null>(`a decimal string of at most ${scale} decimals, zero or more, or nothing`, (raw) => {
    const text = textOf(raw)
    if (text === "") return null
    return text === undefined ? undefined : nonNegative(parseDecimal(text, scale))
  })

/** The same up to a largest value, which is decimal text too: what is beyond it was typed by mistake. */
export const decimalUpTo = (scale: number, max: string) => {
  const limit = parseDecimal(max, scale) ?? 0n
  return scalar<bigint>(`a decimal string of at most ${scale} decimals, from 0 to ${max}`, (raw) => {
    const text = textOf(raw)
    const value = text === undefined ? undefined : nonNegative(parseDecimal(text, scale))
    return value !== undefined && value <= limit ? value : undefined
  })
}

/** A rate kept as its exact decimal text, above zero. */
export const Rate = scalar<string>(`a decimal string of at most ${MICROS_SCALE} decimals, above zero`, (raw) => {
  const text = textOf(raw)
  const value = text === undefined ? undefined : parseDecimal(text, MICROS_SCALE)
  return value !== undefined && value > 0n ? text : undefined
})

const httpUrl = (raw: unknown): string | undefined => {
  const text = textOf(raw)
  if (text === undefined || !URL.canParse(text)) return undefined
  return /^https?:$/.test(new URL(text).protocol) ? baseUrlOf(text) : undefined
}

/** An http(s) URL, kept without trailing slashes. */
export const HttpUrl = scalar<string>("an http:// or https:// URL", httpUrl)

/** An http(s) URL or nothing, kept without trailing slashes. */
export const OptionalHttpUrl = scalar<string>(
  "an http:// or https:// URL, or nothing",
  (raw) => textOf(raw) === "" ? "" : httpUrl(raw)
)

/** An IP address, or a range of them as address/prefix. */
export const IpRange = scalar<string>("an IP address or a range such as 10.0.0.0/8", (raw) => {
  const [address = "", prefix, ...rest] = (textOf(raw) ?? "").split("/")
  const bits = isIP(address) === 4 ? 32 : 128
  if (isIP(address) === 0 || rest.length > 0) return undefined
  if (prefix === undefined) return address
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? `${address}/${prefix}` : undefined
})

/** A column of an EPay gateway's list of trades. */
export const EpayBillColumn = scalar<string>(
  "trade_no, money, refund, fee, time or state, then = and the title of the column (of state, and :value)",
  (raw) => {
    const column = readEpayColumn(textOf(raw) ?? "")
    return column === undefined ? undefined : column.join("=")
  }
)

/** A time zone by its IANA name. */
export const TimeZone = scalar<string>("the IANA name of a time zone, such as Asia/Shanghai", (raw) => {
  const text = textOf(raw)
  return text === undefined ? undefined : zoneNamed(text)
})

/** A currency code of three letters, in lower case. */
export const Currency = scalar<string>("a currency code of three letters", (raw) => {
  const text = textOf(raw)?.toLowerCase()
  return text !== undefined && /^[a-z]{3}$/.test(text) ? text : undefined
})
