/**
 * What the form of a new key means: its fields parsed, or what is wrong with each of them. Whether such a key may be made is
 * for `ApiKeys` to say.
 */
import { MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import type { NewApiKey } from "../../../../identity/NewApiKey.ts"
import type { Problems } from "../../Answer.ts"
import { endOfDay } from "../../Days.ts"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"

const problemKeys = {
  name: "name.problem",
  expiry: "problem.day",
  spend_limit: "limit.problem",
  models: "models.problem"
} as const

/** What is said of a field that is wrong. */
export const keyProblem = (context: PageContext, field: keyof typeof problemKeys): Problems => ({
  [field]: sayOf(context, "keys")(problemKeys[field])
})

/** A text that is absent, or blank, is no limit; undefined for one that is neither that nor what `parse` takes. */
const optional = <A>(text: string | null, parse: (text: string) => A | undefined): A | null | undefined =>
  text === null || text.trim() === "" ? null : parse(text.trim())

/** The key that the form asks for, or its problems by field. */
export const readKeyForm = (
  context: UserContext,
  fields: URLSearchParams,
  modelIds: ReadonlyArray<string>
): { readonly key: NewApiKey } | { readonly problems: Problems } => {
  const name = (fields.get("name") ?? "").trim()
  const expiresAt = optional(fields.get("expiry"), (day) => endOfDay(day, context.formats.timeZone))
  const spendLimitMicros = optional(fields.get("spend_limit"), (text) => parseDecimal(text, MICROS_SCALE))
  const models = [...new Set(fields.getAll("models"))]
  const areKnown = models.every((id) => modelIds.includes(id))
  if (name !== "" && expiresAt !== undefined && spendLimitMicros !== undefined && areKnown) {
    const allowedModels = models.length === 0 ? null : models
    return { key: { userId: context.user.id, name, expiresAt, spendLimitMicros, allowedModels } }
  }
  return {
    problems: {
      ...(name === "" ? keyProblem(context, "name") : {}),
      ...(expiresAt === undefined ? keyProblem(context, "expiry") : {}),
      ...(spendLimitMicros === undefined ? keyProblem(context, "spend_limit") : {}),
      ...(areKnown ? {} : keyProblem(context, "models"))
    }
  }
}
