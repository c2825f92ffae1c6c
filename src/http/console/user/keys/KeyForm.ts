/**
 * What the form of a new key means: its fields parsed, or what is wrong with each of them. Whether such a key may be made is
 * for `ApiKeys` to say.
 */
import { DateTime, Option } from "effect"
import { MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import type { NewApiKey } from "../../../../identity/NewApiKey.ts"
import type { Problems } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"

const dayPattern = /^\d{4}-\d{2}-\d{2}$/

/** The last second of a day in a time zone; undefined for a text that is no day of the calendar. */
export const endOfDay = (day: string, timeZone: string): Date | undefined => {
  if (!dayPattern.test(day)) return undefined
  const end = DateTime.makeZoned(`${day}T23:59:59Z`, { timeZone, adjustForTimeZone: true })
  // February 30 would be read as a day of March.
  return Option.isSome(end) && DateTime.formatIsoDate(end.value) === day ? DateTime.toDateUtc(end.value) : undefined
}

/** A text that is absent, or blank, is no limit; undefined for one that is neither that nor what `parse` takes. */
const optional = <A>(text: string | null, parse: (text: string) => A | undefined): A | null | undefined =>
  text === null || text.trim() === "" ? null : parse(text.trim())

/** The key that the form asks for, or its problems by field. */
export const readKeyForm = (
  context: UserContext,
  fields: URLSearchParams,
  modelIds: ReadonlyArray<string>
): { readonly key: NewApiKey } | { readonly problems: Problems } => {
  const say = sayOf(context, "keys")
  const name = (fields.get("name") ?? "").trim()
  const expiresAt = optional(fields.get("expiry"), (day) => endOfDay(day, context.formats.timeZone))
  const spendLimitMicros = optional(fields.get("spend_limit"), (text) => parseDecimal(text, MICROS_SCALE))
  const allowedModels = [...new Set(fields.getAll("models"))]
  const areKnown = allowedModels.every((id) => modelIds.includes(id))
  if (name !== "" && expiresAt !== undefined && spendLimitMicros !== undefined && areKnown) {
    return {
      key: {
        userId: context.user.id,
        name,
        expiresAt,
        spendLimitMicros,
        allowedModels: allowedModels.length === 0 ? null : allowedModels
      }
    }
  }
  return {
    problems: {
      ...(name === "" ? { name: say("name.problem") } : {}),
      ...(expiresAt === undefined ? { expiry: say("problem.day") } : {}),
      ...(spendLimitMicros === undefined ? { spend_limit: say("limit.problem") } : {}),
      ...(areKnown ? {} : { models: say("models.problem") })
    }
  }
}
