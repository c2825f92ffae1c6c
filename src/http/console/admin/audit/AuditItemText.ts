/**
 * How a recorded change is read: where its target has a page, and what a recorded value says.
 */
import type { PageContext } from "../../PageContext.ts"

/** The page of what was changed, where there is one. */
export const pageOf = (target: string): string | undefined => {
  const [, what, id] = /^(user|order|payment):(\d+)$/.exec(target) ?? []
  return what === undefined ? undefined : `/admin/${what}s/${id}`
}

/** A recorded value: amounts as money, texts as they are, everything else as JSON. */
export const valueText = ({ formats }: Pick<PageContext, "formats">, field: string, value: unknown): string => {
  if (value === null) return "–"
  if (typeof value !== "string") return JSON.stringify(value)
  if (!/^-?\d+$/.test(value)) return value
  if (field.endsWith("_fen")) return formats.cny(BigInt(value))
  return field.endsWith("_micros") && !field.includes("multiplier") ? formats.usd(BigInt(value)) : value
}
