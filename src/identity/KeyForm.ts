/**
 * The API key that a user's form asks for. Whether such a key may be made is for `ApiKeys` to say.
 */
import { Result } from "effect"
import { endOfDay } from "../domain/Days.ts"
import type { UserId } from "../domain/Ids.ts"
import { MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import type { ApiKeyRefused } from "./IdentityError.ts"
import type { NewApiKey } from "./NewApiKey.ts"

export interface KeyAsker {
  readonly userId: UserId
  /** The key expires at the end of a day in this zone. */
  readonly timeZone: string
  /** Ids of the models that a key may be for. */
  readonly models: ReadonlyArray<string>
}

/** A text that is absent, or blank, is no limit; undefined for one that is neither that nor what `parse` takes. */
function optional<A>(text: string | null, parse: (text: string) => A | undefined): A | null | undefined {
  return text === null || text.trim() === "" ? null : parse(text.trim())
}

/** Fails with every field that is wrong. */
export const readKeyForm = (
  form: URLSearchParams,
  { models, timeZone, userId }: KeyAsker
): Result.Result<NewApiKey, ReadonlyArray<ApiKeyRefused["reason"]>> => {
  const name = (form.get("name") ?? "").trim()
  const expiresAt = optional(form.get("expiry"), (day) => endOfDay(day, timeZone))
  const spendLimitMicros = optional(form.get("spend_limit"), (text) => parseDecimal(text, MICROS_SCALE))
  const chosen = [...new Set(form.getAll("models"))]
  const areKnown = chosen.every((id) => models.includes(id))
  if (name !== "" && expiresAt !== undefined && spendLimitMicros !== undefined && areKnown) {
    return Result.succeed({
      userId,
      name,
      expiresAt,
      spendLimitMicros,
      allowedModels: chosen.length === 0 ? null : chosen
    })
  }
  return Result.fail([
    ...name === "" ? ["name" as const] : [],
    ...expiresAt === undefined ? ["expiry" as const] : [],
    ...spendLimitMicros === undefined ? ["spend_limit" as const] : [],
    ...areKnown ? [] : ["models" as const]
  ])
}
