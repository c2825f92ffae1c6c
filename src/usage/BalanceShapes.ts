/**
 * What balance tools read, in the shapes that they know: those of OpenAI's old billing pages, as one-api and new-api answer them, and
 * those of OpenRouter and DeepSeek. Pure. Amounts are JSON numbers there: each is made from the exact decimal text of its micros, so that
 * it is the number nearest to it.
 */
import { formatDecimal, formatUsd, maximum, MICROS_SCALE, minimum } from "../domain/Money.ts"
import type { LimitPeriod } from "../domain/LimitPeriod.ts"
import { spendLimitsOf } from "../identity/ApiKey.ts"
import type { FiguresOfKey } from "./KeyFigures.ts"

/** Decimal places of an amount of micros in cents. */
const CENTS_SCALE = 4

const usd = (micros: bigint): number => Number(formatDecimal(micros, { scale: MICROS_SCALE }))

const cents = (micros: bigint): number => Number(formatDecimal(micros, { scale: CENTS_SCALE }))

/** What new-api says of a key without any limit, in USD: tools know it for that. */
const UNLIMITED_USD = 100_000_000

const resets: Readonly<Record<LimitPeriod, string | null>> = {
  day: "daily",
  week: "weekly",
  month: "monthly",
  total: null
}

/** The key's limit that leaves least, of each in its period; undefined: it has none. */
const tightestOf = (figures: FiguresOfKey) => {
  const { dayMicros, monthMicros, totalMicros, weekMicros } = figures
  const spent = { day: dayMicros, week: weekMicros, month: monthMicros, total: totalMicros }
  const limits = spendLimitsOf(figures).map(({ micros, period }) => ({
    micros,
    period,
    left: maximum(0n, micros - spent[period])
  }))
  return limits.reduce<typeof limits[number] | undefined>(
    (tightest, limit) => tightest === undefined || limit.left < tightest.left ? limit : tightest,
    undefined
  )
}

/** What the key's limits leave; null: it has none. */
const roomOf = (figures: FiguresOfKey): bigint | null => tightestOf(figures)?.left ?? null

/** What calls with this key may cost, from the balance and from plans; null: any amount. */
const leftOf = (figures: FiguresOfKey): bigint | null => {
  const { isBilled, paysAsYouGo, planMicros, usdMicros } = figures
  if (!isBilled) return null
  const account = planMicros === null ? null : planMicros + (paysAsYouGo ? usdMicros : 0n)
  const room = roomOf(figures)
  return room === null || account === null ? room ?? account : minimum(room, account)
}

/** `hard_limit_usd` less `total_usage` is what is left: tools subtract one from the other. */
const subscription = (figures: FiguresOfKey) => {
  const left = leftOf(figures)
  const limit = left === null ? UNLIMITED_USD : usd(figures.totalMicros + left)
  return {
    object: "billing_subscription",
    has_payment_method: true,
    soft_limit_usd: limit,
    hard_limit_usd: limit,
    system_hard_limit_usd: limit,
    // Seconds since the epoch; 0 is what one-api says where there is no end.
    access_until: Math.floor((figures.expiresAt?.getTime() ?? 0) / 1_000)
  }
}

const usage = ({ totalMicros }: FiguresOfKey) => ({ object: "list", total_usage: cents(totalMicros) })

/** Of the account; of a key with a limit of its own, no more than that. */
const credits = (figures: FiguresOfKey) => {
  const { creditedMicros, totalMicros, usdMicros } = figures
  const room = roomOf(figures)
  return {
    data: room === null
      ? { total_credits: usd(creditedMicros), total_usage: usd(creditedMicros - usdMicros) }
      : { total_credits: usd(totalMicros + (leftOf(figures) ?? room)), total_usage: usd(totalMicros) }
  }
}

const key = (figures: FiguresOfKey) => {
  const { creditedMicros, dayMicros, expiresAt, hasPlan, hint, monthMicros, name, totalMicros, weekMicros } = figures
  const tightest = tightestOf(figures)
  return {
    data: {
      label: hint,
      name,
      limit: tightest === undefined ? null : usd(tightest.micros),
      limit_remaining: tightest === undefined ? null : usd(tightest.left),
      limit_reset: tightest === undefined ? null : resets[tightest.period],
      usage: usd(totalMicros),
      usage_daily: usd(dayMicros),
      usage_weekly: usd(weekMicros),
      usage_monthly: usd(monthMicros),
      expires_at: expiresAt?.toISOString() ?? null,
      is_free_tier: creditedMicros <= 0n && !hasPlan,
      // What this gateway does not have is what OpenRouter's clients take for nothing.
      is_management_key: false,
      is_provisioning_key: false,
      include_byok_in_limit: false,
      byok_usage: 0,
      byok_usage_daily: 0,
      byok_usage_weekly: 0,
      byok_usage_monthly: 0,
      creator_user_id: null,
      organization_id: null,
      workspace_id: null,
      allowed_data_regions: ["global"],
      free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
      rate_limit: { requests: -1, interval: "10s", note: "This field is deprecated and safe to ignore." }
    }
  }
}

/** What is left of the balance, as DeepSeek says it, too. A key with a limit tells of no more than that. */
const balance = (figures: FiguresOfKey) => {
  const { owedMicros, planMicros, usdMicros } = figures
  const room = roomOf(figures)
  const left = leftOf(figures)
  const shown = room === null ? usdMicros : minimum(room, usdMicros)
  return {
    object: "balance",
    currency: "USD",
    balance: usd(shown),
    balance_micros: shown.toString(),
    owed: room === null ? usd(owedMicros) : 0,
    plans_remaining: planMicros === null ? null : usd(room === null ? planMicros : minimum(room, planMicros)),
    is_available: left === null || left > 0n,
    balance_infos: [{
      currency: "USD",
      total_balance: formatUsd(shown),
      granted_balance: formatUsd(0n),
      topped_up_balance: formatUsd(shown)
    }]
  }
}

/** By the path that tools ask at. Those of OpenAI's billing pages are asked for with `/v1` and without. */
export const balanceShapes: ReadonlyMap<string, (figures: FiguresOfKey) => object> = new Map<
  string,
  (figures: FiguresOfKey) => object
>([
  ["/v1/dashboard/billing/subscription", subscription],
  ["/v1/dashboard/billing/usage", usage],
  ["/dashboard/billing/subscription", subscription],
  ["/dashboard/billing/usage", usage],
  ["/v1/credits", credits],
  ["/v1/key", key],
  // The older name.
  ["/v1/auth/key", key],
  ["/v1/balance", balance]
])
