/**
 * Tools that ask for balances: OpenRouter's own SDK, and request by request what NextChat and new-api send and compute, since neither is
 * a package. NextChat: `usage()` of app/client/platforms/openai.ts, with the paths of app/constant.ts. new-api:
 * `updateStandardChannelBalance` of controller/channel-billing.go.
 */
import { OpenRouter } from "@openrouter/sdk"
import type { Target } from "./Target.ts"

export const openRouterOf = (target: Target): OpenRouter =>
  new OpenRouter({ apiKey: target.apiKey, serverURL: target.baseUrl })

/** The key that it uses, and the credits of the account. */
export const openRouter = async (target: Target) => {
  const client = openRouterOf(target)
  const { data: key } = await client.apiKeys.getCurrentKeyMetadata()
  const { data: credits } = await client.credits.getCredits()
  return { key, credits }
}

const bearer = ({ apiKey }: Target) => ({ headers: { Authorization: `Bearer ${apiKey}` } })

/** Its base has no `/v1`. */
const originOf = ({ baseUrl }: Target): string => baseUrl.replace(/\/v1$/, "")

interface NextChatUsage {
  total_usage?: number
  error?: { readonly type: string; readonly message: string }
}

/** What NextChat shows in its settings: used and total. */
export const nextChat = async (target: Target) => {
  const [used, subs] = await Promise.all([
    fetch(`${originOf(target)}/dashboard/billing/usage?start_date=2026-11-01&end_date=2026-11-30`, bearer(target)),
    fetch(`${originOf(target)}/dashboard/billing/subscription`, bearer(target))
  ])
  if (used.status === 401) throw new Error("unauthorized")
  if (!used.ok || !subs.ok) throw new Error("Failed to query usage from openai")
  const response: NextChatUsage = await used.json() as NextChatUsage
  const total = await subs.json() as { hard_limit_usd?: number }
  if (response.error?.type) throw new Error(response.error.message)
  return {
    used: response.total_usage ? Math.round(response.total_usage) / 100 : response.total_usage,
    total: total.hard_limit_usd ? Math.round(total.hard_limit_usd * 100) / 100 : total.hard_limit_usd
  }
}

const getJson = async (url: string, target: Target): Promise<unknown> => {
  const answer = await fetch(url, bearer(target))
  if (answer.status !== 200) throw new Error(`status code: ${answer.status}`)
  return await answer.json()
}

/** The balance that new-api keeps of a channel, and by which it switches one off. */
export const newApi = async (target: Target): Promise<number> => {
  const base = originOf(target)
  const subscription = await getJson(`${base}/v1/dashboard/billing/subscription`, target) as {
    readonly hard_limit_usd: number
    readonly has_payment_method: boolean
  }
  const start = subscription.has_payment_method ? "2026-11-01" : "2026-08-22"
  const usage = await getJson(
    `${base}/v1/dashboard/billing/usage?start_date=${start}&end_date=2026-11-30`,
    target
  ) as { readonly total_usage: number }
  return subscription.hard_limit_usd - usage.total_usage / 100
}
