/**
 * The API key that a user's form asks for, or what it makes of a key that there is. Whether such a key may be is for `ApiKeys` to say.
 */
import { Result, Schema } from "effect"
import { rateKinds, rateNames, readRateLimits } from "../domain/CallLimits.ts"
import { dayOf, endOfDay } from "../domain/Days.ts"
import { parseIpRange } from "../domain/IpRange.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import type { ListedApiKey } from "./ApiKey.ts"
import type { ApiKeyRefused } from "./IdentityError.ts"
import { LimitPeriod } from "../domain/LimitPeriod.ts"
import type { KeyTerms } from "./NewApiKey.ts"

export interface KeyAsker {
  /** The key expires at the end of a day in this zone. */
  readonly timeZone: string
  /** Ids of the models that a key may be for. */
  readonly models: ReadonlyArray<string>
  /** The key as it is, where there is one: it keeps the models that it has, and a moment of the same day. */
  readonly current?: ListedApiKey
}

/** A text that is absent, or blank, is no limit; undefined for one that is neither that nor what `parse` takes. */
function optional<A>(text: string | null, parse: (text: string) => A | undefined): A | null | undefined {
  return text === null || text.trim() === "" ? null : parse(text.trim())
}

/** Addresses and ranges with commas or spaces between them. */
const networksIn = (text: string): ReadonlyArray<string> | undefined => {
  const ranges = [...new Set(text.split(/[\s,]+/).filter((part) => part !== ""))].map(parseIpRange)
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

const isPeriod = Schema.is(LimitPeriod)

/** Fails with every field that is wrong. */
export const readKeyForm = (
  form: URLSearchParams,
  { current, models, timeZone }: KeyAsker
): Result.Result<Required<KeyTerms>, ReadonlyArray<ApiKeyRefused["reason"]>> => {
  const name = (form.get("name") ?? "").trim()
  const kept = current?.expiresAt ?? null
  const expiresAt = optional(
    form.get("expiry"),
    (day) => kept !== null && dayOf(kept, timeZone) === day ? kept : endOfDay(day, timeZone)
  )
  const amount = (name: string) => optional(form.get(name), (text) => parseDecimal(text, MICROS_SCALE))
  const spendLimitMicros = amount("spend_limit")
  const dayLimitMicros = amount("day_limit")
  const monthLimitMicros = amount("month_limit")
  const period = form.get("spend_limit_period") ?? "total"
  const spendLimitPeriod = isPeriod(period) ? period : undefined
  const rates = readRateLimits(form)
  const allowedNetworks = optional(form.get("networks"), networksIn)
  const chosen = [...new Set(form.getAll("models"))]
  const areKnown = chosen.every((id) => models.includes(id) || current?.allowedModels?.includes(id) === true)
  if (
    name !== "" && expiresAt !== undefined && spendLimitMicros !== undefined && spendLimitPeriod !== undefined &&
    areKnown && Result.isSuccess(rates) && dayLimitMicros !== undefined && monthLimitMicros !== undefined &&
    allowedNetworks !== undefined
  ) {
    const allowedModels = chosen.length === 0 ? null : chosen
    return Result.succeed({
      name,
      expiresAt,
      spendLimitMicros,
      spendLimitPeriod,
      dayLimitMicros,
      monthLimitMicros,
      ...rates.success,
      allowedModels,
      allowedNetworks
    })
  }
  return Result.fail([
    ...name === "" ? ["name" as const] : [],
    ...expiresAt === undefined ? ["expiry" as const] : [],
    ...spendLimitMicros === undefined || spendLimitPeriod === undefined ? ["spend_limit" as const] : [],
    ...dayLimitMicros === undefined ? ["day_limit" as const] : [],
    ...monthLimitMicros === undefined ? ["month_limit" as const] : [],
    ...Result.isFailure(rates) ? ["rates" as const] : [],
    ...allowedNetworks === undefined ? ["networks" as const] : [],
    ...areKnown ? [] : ["models" as const]
  ])
}

/** The form of a key as it is. */
export const keyFormOf = (key: ListedApiKey, timeZone: string): URLSearchParams => {
  const { allowedModels, allowedNetworks, expiresAt, name, spendLimitMicros, spendLimitPeriod } = key
  return new URLSearchParams([
    ["name", name],
    ["spend_limit", spendLimitMicros === null ? "" : formatUsd(spendLimitMicros)],
    ["spend_limit_period", spendLimitPeriod],
    ["day_limit", key.dayLimitMicros === null ? "" : formatUsd(key.dayLimitMicros)],
    ["month_limit", key.monthLimitMicros === null ? "" : formatUsd(key.monthLimitMicros)],
    ...rateKinds.map((kind): [string, string] => [rateNames[kind], String(key[kind] ?? "")]),
    ["networks", (allowedNetworks ?? []).join(", ")],
    ["expiry", expiresAt === null ? "" : dayOf(expiresAt, timeZone)],
    ...(allowedModels ?? []).map((id): [string, string] => ["models", id])
  ])
}

/** What a form changes: an expiry that stays is not asked for again, since it may be over. */
export const changeOf = ({ expiresAt, ...terms }: Required<KeyTerms>, current: ListedApiKey): Partial<KeyTerms> =>
  expiresAt?.getTime() === current.expiresAt?.getTime() ? terms : { ...terms, expiresAt }
