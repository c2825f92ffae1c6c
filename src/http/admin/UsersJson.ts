/**
 * Users, their ledgers and their subscriptions as the administration's API says them.
 */
import type { LedgerItem } from "../../accounts/LedgerList.ts"
import type { UserDetails, UserSummary } from "../../identity/UserAdmin.ts"
import type { SubscriptionItem } from "../../subscriptions/SubscriptionList.ts"
import { momentOf, momentOrNull } from "./ApiSchema.ts"

export const summaryJson = (user: UserSummary) => ({
  id: user.id.toString(),
  email: user.email,
  role: user.role,
  created_at: momentOf(user.createdAt),
  disabled_at: momentOrNull(user.disabledAt),
  usd_micros: user.usdMicros.toString(),
  owed_micros: user.owedMicros.toString(),
  last_seen_at: momentOrNull(user.lastSeenAt)
})

export const userJson = (user: UserDetails) => ({
  ...summaryJson(user),
  has_password: user.hasPassword,
  password_link_until: momentOrNull(user.passwordLinkUntil),
  sessions: user.sessions.map((session) => ({
    id: session.id.toString(),
    address: session.address,
    user_agent: session.userAgent,
    created_at: momentOf(session.createdAt),
    last_seen_at: momentOf(session.lastSeenAt)
  })),
  orders: Number(user.orders),
  subscriptions: Number(user.subscriptions),
  admin_keys: Number(user.adminKeys)
})

export const entryJson = (entry: LedgerItem) => ({
  id: entry.id.toString(),
  seq: entry.seq.toString(),
  kind: entry.kind,
  amount_micros: entry.amountMicros.toString(),
  owed_micros: entry.owedMicros.toString(),
  ref_type: entry.refType,
  ref_id: entry.refId,
  actor: entry.actor,
  usd_after_micros: entry.usdAfterMicros?.toString() ?? null,
  owed_after_micros: entry.owedAfterMicros?.toString() ?? null,
  note: entry.note,
  created_at: momentOf(entry.createdAt)
})

export const subscriptionJson = (item: SubscriptionItem) => ({
  id: item.id.toString(),
  plan_code: item.planCode,
  plan_name: item.planName,
  state: item.state,
  starts_at: momentOf(item.startsAt),
  ends_at: momentOf(item.endsAt),
  order_id: item.orderId?.toString() ?? null,
  note: item.note
})
