/**
 * The tabs of `/admin/payments`: payments, what people have to look at with how many wait, and everything that providers have said.
 */
import { Effect } from "effect"
import { PaymentEvents } from "../../../../events/PaymentEvents.ts"
import { Tabs } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

export type PaymentView = "payments" | "review" | "events"

export const paymentTabs = Effect.fnUntraced(function*(context: UserContext, view: PaymentView) {
  const say = sayOf(context, "payments")
  const openCount = yield* (yield* PaymentEvents).openCount
  const waiting = openCount === 0 ? undefined : context.formats.count(openCount)
  return (
    <Tabs
      tabs={[
        { href: "/admin/payments", text: say("title"), isShown: view === "payments" },
        { href: "/admin/payments?view=review", text: say("toLookAt"), isShown: view === "review", waiting },
        { href: "/admin/payments?view=events", text: say("tab.events"), isShown: view === "events" }
      ]}
    />
  )
})
