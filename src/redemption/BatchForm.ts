/**
 * The batch of codes that a form asks for. A field that cannot be read is taken for a value that no batch may have, so that
 * `RedemptionAdmin` refuses all wrong fields at once.
 */
import { DateTime } from "effect"
import { dayOf, endOfDay } from "../domain/Days.ts"
import { MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import type { BatchEdit, NewBatch } from "./RedemptionBatch.ts"

/** The choice of what codes give: credit, or a plan, which is `plan:` and its code. */
export const GIVES_BALANCE = "balance"
const GIVES_PLAN = "plan:"

export const givesPlan = (planCode: string): string => `${GIVES_PLAN}${planCode}`

const countOf = (text: string): number => /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : 0

const expiryOf = (text: string, timeZone: string): Date | null =>
  text === "" ? null : endOfDay(text, timeZone) ?? DateTime.toDateUtc(DateTime.makeUnsafe(0))

/** Codes expire at the end of a day in `timeZone`. */
export const readBatchForm = (form: URLSearchParams, timeZone: string): NewBatch => {
  const textOf = (name: string) => form.get(name) ?? ""
  const gives = textOf("gives")
  return {
    name: textOf("name"),
    note: textOf("note"),
    gift: gives === GIVES_BALANCE
      ? { kind: "balance", usdMicros: parseDecimal(textOf("amount"), MICROS_SCALE) ?? 0n }
      : { kind: "plan", planCode: gives.startsWith(GIVES_PLAN) ? gives.slice(GIVES_PLAN.length) : "" },
    groupCode: textOf("group") || null,
    codes: countOf(textOf("codes")),
    usesMax: countOf(textOf("uses")),
    expiresAt: expiryOf(textOf("expiry").trim(), timeZone),
    key: textOf("key")
  }
}

/** The day that codes expire at the end of, as a form shows it; empty where they do not. */
export const expiryText = (at: Date | null, timeZone: string): string => at === null ? "" : dayOf(at, timeZone)

/** What a form changes of a batch. The day that was shown is the moment that it stands for. */
export const readBatchEdit = (form: URLSearchParams, timeZone: string, was: Date | null): BatchEdit => {
  const textOf = (name: string) => form.get(name) ?? ""
  const day = textOf("expiry").trim()
  return {
    name: textOf("name"),
    note: textOf("note"),
    expiresAt: day === expiryText(was, timeZone) ? was : expiryOf(day, timeZone)
  }
}
