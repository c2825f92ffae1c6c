/**
 * `realms key create`, `list`, `update` and `revoke`. A key is shown once, when it is made: alone on standard output, so that a
 * script can take it as it is.
 */
import { DateTime, Effect, type Layer, Option, Redacted, Struct } from "effect"
import { Command, Flag } from "effect/cli"
import { CONCURRENT_MAX, parseRate, RATE_MAX, type RateKind, rateKinds } from "../domain/CallLimits.ts"
import { MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { type ListedApiKey, type SpendingApiKey, spendLimitsOf, termFactsOf } from "../identity/ApiKey.ts"
import { ApiKeys } from "../identity/ApiKeys.ts"
import { KeyList } from "../identity/KeyList.ts"
import type { LimitPeriod } from "../domain/LimitPeriod.ts"
import type { KeyChange } from "../identity/NewApiKey.ts"
import type { Users } from "../identity/Users.ts"
import { cliActor } from "../platform/AuditLog.ts"
import { failed } from "./CliFailure.ts"
import { providing } from "./CommandServices.ts"
import { dollars, print, type Printable, table } from "./Output.ts"
import { findUser, keyIdArgument, switchFlag, userFlag } from "./Parameters.ts"

/** Keys listed at once, at most. */
const LISTED_MAX = 1_000

/** Takes a limit off. */
const NONE = "none"

/** A text that is `none`, or what `parse` takes. */
const orNone = <A>(parse: (text: string) => Option.Option<A>) => (text: string): Option.Option<A | null> =>
  text === NONE ? Option.some(null) : parse(text)

const parseLimit = (text: string): Option.Option<bigint> =>
  Option.filter(
    Option.fromUndefinedOr(parseDecimal(text.trim().replace(/^\$/, ""), MICROS_SCALE)),
    (micros) => micros >= 0n
  )

const parseMoment = (text: string): Option.Option<Date> =>
  Option.map(DateTime.make(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T23:59:59Z` : text), DateTime.toDateUtc)

const parseLimitUpTo = (max: number) => (text: string): Option.Option<number> =>
  Option.fromUndefinedOr(parseRate(text, max))

const listIn = (text: string): Option.Option<ReadonlyArray<string>> =>
  Option.some(text.split(",").map((item) => item.trim()))

/** What may be spent. */
const amountFlag = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("amount|none"),
    Flag.withDescription(description),
    Flag.filterMap(orNone(parseLimit), () => "an amount in USD from 0 up, such as 5.00, or none"),
    Flag.optional
  )

/** A limit of calls. */
const rateFlag = (name: string, max: number, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("number|none"),
    Flag.withDescription(description),
    Flag.filterMap(orNone(parseLimitUpTo(max)), () => `a whole number from 1 to ${max}, or none`),
    Flag.optional
  )

const resets = { daily: "day", weekly: "week", monthly: "month", never: "total" } as const satisfies Readonly<
  Record<string, LimitPeriod>
>

const nameFlag = Flag.String("name").pipe(Flag.withDescription("What the key is for"))

/** What can be set of a key; what is not given stays as it is. */
const terms = {
  limit: amountFlag("limit-usd", "What may be spent with it in each period, such as 5.00"),
  reset: Flag.Literals("reset", Struct.keys(resets)).pipe(
    Flag.withDescription(
      "When the limit starts again: at 0:00 UTC every day, every Monday, every first of a month, or never"
    ),
    Flag.optional
  ),
  expires: Flag.String("expires").pipe(
    Flag.withMetavar("date|none"),
    Flag.withDescription("A day, at whose end in UTC it expires, or an ISO 8601 moment"),
    Flag.filterMap(orNone(parseMoment), () => "a day such as 2030-01-31, an ISO 8601 moment, or none"),
    Flag.optional
  ),
  models: Flag.String("models").pipe(
    Flag.withMetavar("ids|none"),
    Flag.withDescription("Ids of the only models it may use, separated by commas; none: every model"),
    Flag.filterMap(
      orNone(listIn),
      () => "ids of models, separated by commas"
    ),
    Flag.optional
  ),
  day: amountFlag("day-limit-usd", "What may be spent with it besides in a day, from 0:00 UTC"),
  month: amountFlag("month-limit-usd", "What may be spent with it besides in a calendar month"),
  requests: rateFlag("requests-per-minute", RATE_MAX, "Calls with it that may begin in a minute"),
  tokens: rateFlag("tokens-per-minute", RATE_MAX, "Tokens of input and output in a minute"),
  concurrent: rateFlag("concurrent-calls", CONCURRENT_MAX, "Calls with it that may be open at once"),
  networks: Flag.String("networks").pipe(
    Flag.withMetavar("ranges|none"),
    Flag.withDescription("Addresses and ranges, such as 10.0.0.0/8, that it may be used from; none: every network"),
    Flag.filterMap(orNone(listIn), () => "addresses and ranges, separated by commas"),
    Flag.optional
  )
}

interface GivenTerms {
  readonly limit: Option.Option<bigint | null>
  readonly day: Option.Option<bigint | null>
  readonly month: Option.Option<bigint | null>
  readonly reset: Option.Option<keyof typeof resets>
  readonly expires: Option.Option<Date | null>
  readonly models: Option.Option<ReadonlyArray<string> | null>
  readonly requests: Option.Option<number | null>
  readonly tokens: Option.Option<number | null>
  readonly concurrent: Option.Option<number | null>
  readonly networks: Option.Option<ReadonlyArray<string> | null>
}

const termsOf = (
  { concurrent, day, expires, limit, models, month, networks, requests, reset, tokens }: GivenTerms
): KeyChange => ({
  ...Option.isSome(limit) ? { spendLimitMicros: limit.value } : {},
  ...Option.isSome(day) ? { dayLimitMicros: day.value } : {},
  ...Option.isSome(month) ? { monthLimitMicros: month.value } : {},
  ...Option.isSome(reset) ? { spendLimitPeriod: resets[reset.value] } : {},
  ...Option.isSome(expires) ? { expiresAt: expires.value } : {},
  ...Option.isSome(models) ? { allowedModels: models.value } : {},
  ...Option.isSome(requests) ? { requestsPerMinute: requests.value } : {},
  ...Option.isSome(tokens) ? { tokensPerMinute: tokens.value } : {},
  ...Option.isSome(concurrent) ? { concurrentCalls: concurrent.value } : {},
  ...Option.isSome(networks) ? { allowedNetworks: networks.value } : {}
})

const keyFields = (key: ListedApiKey) => ({
  id: key.id,
  name: key.name,
  hint: key.hint,
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  revoked_at: key.revokedAt,
  paused_at: key.pausedAt,
  last_used_at: key.lastUsedAt,
  ...termFactsOf(key)
} satisfies Printable)

const resetOf = (period: LimitPeriod): string => Struct.keys(resets).find((name) => resets[name] === period) ?? period

const limitText = (key: ListedApiKey): string =>
  spendLimitsOf(key).map(({ micros, period }) => `${dollars(micros)}${period === "total" ? "" : ` ${resetOf(period)}`}`)
    .concat(rateKinds.flatMap((kind) => key[kind] === null ? [] : [`${key[kind]} ${rateWords[kind]}`])).join(", ") ||
  "-"

/** Said behind a limit. */
const rateWords: Readonly<Record<RateKind, string>> = {
  requestsPerMinute: "requests/min",
  tokensPerMinute: "tokens/min",
  concurrentCalls: "at once"
}

const stateText = ({ expiresAt, pausedAt, revokedAt }: ListedApiKey, now: DateTime.Utc): string => {
  if (revokedAt !== null) return "revoked"
  if (expiresAt !== null && expiresAt.getTime() <= now.epochMilliseconds) return "expired"
  return pausedAt === null ? "active" : "paused"
}

const create = Command.make(
  "create",
  { user: userFlag, name: nameFlag.pipe(Flag.withDefault("")), ...terms },
  (flags) =>
    Effect.gen(function*() {
      const user = yield* findUser(flags.user)
      const { hint, id, key } = yield* (yield* ApiKeys).create(
        { ...termsOf(flags), userId: user.id, name: flags.name },
        { administrator: cliActor }
      )
      const text = Redacted.value(key)
      yield* print({ id, key: text, hint, user_id: user.id, name: flags.name }, text)
    })
).pipe(
  Command.withDescription("Create an API key and print it; it cannot be shown again"),
  Command.withExamples([{ command: "realms key create --user ada@example.com --limit-usd 5 --reset daily" }])
)

const all = switchFlag("all", "Those that are revoked or expired, too")

const describeKeys = (keys: ReadonlyArray<SpendingApiKey>, now: DateTime.Utc): string =>
  keys.length === 0
    ? "there are no such keys; `realms key create` makes one"
    : table(
      ["ID", "NAME", "KEY", "STATE", "SPENT", "OF LIMIT", "LIMITS", "LAST USED"],
      keys.map((key) => [
        key.id.toString(),
        key.name,
        key.hint,
        stateText(key, now),
        dollars(key.spentMicros),
        key.spendLimitMicros === null ? "-" : dollars(key.spentOfLimitMicros),
        limitText(key),
        key.lastUsedAt?.toISOString().slice(0, 10) ?? "never"
      ])
    )

const list = Command.make("list", { user: userFlag, all }, (flags) =>
  Effect.gen(function*() {
    const user = yield* findUser(flags.user)
    const keys = yield* KeyList
    const found = flags.all
      ? yield* keys.page(user.id, { limit: LISTED_MAX })
      : yield* keys.live(user.id, { limit: LISTED_MAX, order: "newest", skipped: 0 })
    yield* print(
      found.map((key) => ({
        ...keyFields(key),
        spent_micros: key.spentMicros,
        spent_of_limit_micros: key.spentOfLimitMicros
      })),
      describeKeys(found, yield* DateTime.now)
    )
  })).pipe(
    Command.withDescription("List the API keys of a user with what each has spent"),
    Command.withExamples([{ command: "realms key list --user ada@example.com" }])
  )

const pause = switchFlag("pause", "Refuse new calls with it until it is resumed")

const resume = switchFlag("resume", "Let a paused key work again")

const update = Command.make(
  "update",
  { id: keyIdArgument, name: nameFlag.pipe(Flag.optional), ...terms, pause, resume },
  ({ id, name, pause, resume, ...given }) =>
    Effect.gen(function*() {
      if (pause && resume) return yield* failed("give --pause or --resume, not both")
      const change: KeyChange = {
        ...termsOf(given),
        ...Option.isSome(name) ? { name: name.value } : {},
        ...pause || resume ? { paused: pause } : {}
      }
      if (Struct.keys(change).length === 0) {
        return yield* failed("say what to change; `realms key update --help` lists it")
      }
      const key = yield* (yield* ApiKeys).change(id, change, { administrator: cliActor })
      const now = yield* DateTime.now
      yield* print(keyFields(key), `key ${id} is ${stateText(key, now)}, limit ${limitText(key)}`)
    })
).pipe(
  Command.withDescription("Change an API key, on every server at once"),
  Command.withExamples([{ command: "realms key update 12 --limit-usd 20 --reset monthly" }])
)

const revoke = Command.make("revoke", { id: keyIdArgument }, ({ id }) =>
  Effect.gen(function*() {
    yield* (yield* ApiKeys).revoke(id, cliActor)
    yield* print({ id, revoked: true }, `revoked key ${id}`)
  })).pipe(Command.withDescription("Revoke an API key for good, on every server at once"))

export const keyCommand = <E, R>(services: Layer.Layer<Users | ApiKeys | KeyList, E, R>) => {
  const provided = providing(services)
  return Command.make("key").pipe(
    Command.withDescription("Create, list, change and revoke API keys"),
    Command.withSubcommands([provided(create), provided(list), provided(update), provided(revoke)])
  )
}
