/**
 * How upstreams tell what an account has left: OpenRouter's credits, DeepSeek's balance, and the billing endpoints that most relays
 * have from OpenAI. Pure.
 */
import { DateTime } from "effect"
import { isObject } from "./JsonValue.ts"

/** What an account has left: a decimal number in a currency. */
export interface UpstreamBalance {
  /** Null: it is not limited. */
  readonly amount: string | null
  readonly currency: string
}

/** One way to ask: each question below a base URL, and what all answers say together; undefined: nothing. */
export interface BalanceWay {
  readonly questions: ReadonlyArray<{ readonly baseUrl: string; readonly path: string }>
  readonly read: (answers: ReadonlyArray<unknown>) => UpstreamBalance | undefined
}

const MILLIONTHS = 1_000_000

/** Larger numbers are no money. */
const AMOUNT_MAX = 1e12

/** Relays say this for an account without a limit. */
const UNLIMITED_USD_MIN = 100_000_000

const numberIn = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && Math.abs(value) < AMOUNT_MAX ? value : undefined

/** At most six decimals, and at least two. */
const decimal = (value: number): string => {
  const text = (Math.round(value * MILLIONTHS) / MILLIONTHS).toFixed(6)
  return text.replace(/0{1,4}$/, "")
}

const decimalText = /^-?\d{1,15}(?:\.\d{1,10})?$/

/** https://openrouter.ai/docs/api/api-reference/credits/get-credits: all that was bought and used. It wants a management key. */
const creditsOf = ([json]: ReadonlyArray<unknown>): UpstreamBalance | undefined => {
  const data = isObject(json) && isObject(json.data) ? json.data : undefined
  const bought = numberIn(data?.total_credits)
  const used = numberIn(data?.total_usage)
  return bought === undefined || used === undefined ? undefined : { amount: decimal(bought - used), currency: "USD" }
}

/** What OpenRouter says of a key: `limit_remaining` is null where the key has no limit of its own. */
const keyLimitOf = ([json]: ReadonlyArray<unknown>): UpstreamBalance | undefined => {
  const data = isObject(json) && isObject(json.data) ? json.data : undefined
  const left = numberIn(data?.limit_remaining)
  return left === undefined ? undefined : { amount: decimal(left), currency: "USD" }
}

/** https://api-docs.deepseek.com/api/get-user-balance: texts, by currency. The first that has something counts. */
const balanceInfosOf = ([json]: ReadonlyArray<unknown>): UpstreamBalance | undefined => {
  const infos = isObject(json) && Array.isArray(json.balance_infos) ? json.balance_infos : []
  const read = infos.slice(0, 10).flatMap((info) =>
    isObject(info) && typeof info.total_balance === "string" && decimalText.test(info.total_balance) &&
      typeof info.currency === "string" && /^[A-Z]{3}$/.test(info.currency)
      ? [{ amount: info.total_balance, currency: info.currency }]
      : []
  )
  return read.find(({ amount }) => Number(amount) !== 0) ?? read[0]
}

/** The limit is in dollars, what was used in cents. */
const billingOf = ([subscription, usage]: ReadonlyArray<unknown>): UpstreamBalance | undefined => {
  const limit = isObject(subscription) ? numberIn(subscription.hard_limit_usd) : undefined
  const used = isObject(usage) ? numberIn(usage.total_usage) : undefined
  if (limit === undefined || used === undefined) return undefined
  return { amount: limit >= UNLIMITED_USD_MIN ? null : decimal(limit - used / 100), currency: "USD" }
}

const DAY_MS = 86_400_000

/** OpenAI answers for a hundred days at most; relays count all that was ever used. */
const USAGE_DAYS = 99

const dayOf = (ms: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(ms))

/** In the order in which they are tried: those of a host that is known, else all of them. */
export const balanceWays = (baseUrl: string, nowMs: number): ReadonlyArray<BalanceWay> => {
  if (!URL.canParse(baseUrl)) return []
  const { hostname, origin, pathname } = new URL(baseUrl)
  const base = `${origin}${pathname.replace(/\/+$/, "")}`
  const ask = (read: BalanceWay["read"], ...paths: ReadonlyArray<string>): BalanceWay => ({
    read,
    questions: paths.map((path) => ({ baseUrl: base, path }))
  })
  const range = `start_date=${dayOf(nowMs - USAGE_DAYS * DAY_MS)}&end_date=${dayOf(nowMs + DAY_MS)}`
  const openRouter = [ask(creditsOf, "/credits"), ask(keyLimitOf, "/key")]
  const deepSeek: BalanceWay = { read: balanceInfosOf, questions: [{ baseUrl: origin, path: "/user/balance" }] }
  if (/(?:^|\.)openrouter\.ai$/.test(hostname)) return openRouter
  if (/(?:^|\.)deepseek\.com$/.test(hostname)) return [deepSeek]
  const billing = ask(billingOf, "/dashboard/billing/subscription", `/dashboard/billing/usage?${range}`)
  return [billing, ...openRouter, deepSeek]
}
