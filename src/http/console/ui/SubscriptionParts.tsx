/**
 * A running subscription: how full each of its windows is, and when there is room again.
 */
import type { SubscriptionOverview, SuspendedOverview, WindowOverview } from "../../../accounts/AccountOverview.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { Notice } from "./Forms.tsx"
import { windowName } from "./OrderParts.tsx"
import { Badge, Meter, Moment } from "./Parts.tsx"

const WindowBar = ({ context, window }: { readonly context: PageContext; readonly window: WindowOverview }) => {
  const say = sayOf(context, "window")
  const { formats } = context
  const name = windowName(context, window.hours)
  const [used, open, limit] = [window.usedMicros, window.openMicros, window.limitMicros].map(formats.usd)
  const values = { window: name, used: used ?? "", open: open ?? "", limit: limit ?? "" }
  return (
    <div class="mb-3">
      <div class="d-flex justify-content-between flex-wrap gap-1 mb-1">
        <span>{name}</span>
        <span class="text-secondary">{say("used", values)}</span>
      </div>
      <Meter
        label={say("meter", values)}
        used={window.usedMicros}
        held={window.openMicros}
        limit={window.limitMicros}
      />
      <div class="d-flex justify-content-between flex-wrap gap-1 mt-1 small text-secondary">
        <span>{window.openMicros === 0n ? "" : say("open", values)}</span>
        <span>{window.reliefAt === undefined ? "" : say("relief", { at: formats.time(window.reliefAt) })}</span>
      </div>
    </div>
  )
}

export const SubscriptionCard = (
  { subscription, context }: { readonly context: PageContext; readonly subscription: SubscriptionOverview }
) => {
  const say = sayOf(context, "window")
  const isComing = subscription.startsAt.getTime() > context.now.getTime()
  return (
    <section class="card h-100">
      <div class="card-header">
        <h3 class="card-title break-anywhere">{subscription.planName}</h3>
        <div class="card-actions">
          {isComing ? <Badge tone="blue">{say("coming")}</Badge> : <Badge tone="green">{say("running")}</Badge>}
        </div>
      </div>
      <div class="card-body">
        {subscription.windows.length === 0
          ? <p class="text-secondary">{say("noSpendingLimit")}</p>
          : subscription.windows.map((window) => <WindowBar key={window.hours} context={context} window={window} />)}
        <div class="text-secondary">
          {isComing
            ? (
              <div>
                {say("from")} <Moment context={context} at={subscription.startsAt} />
              </div>
            )
            : null}
          <div>
            {say("until")} <Moment context={context} at={subscription.endsAt} />
          </div>
        </div>
      </div>
    </section>
  )
}

const DAY_MS = 86_400_000

/** Says which plans are suspended, and what is left of them. */
export const SuspendedNotices = (
  { suspended, context }: { readonly context: PageContext; readonly suspended: ReadonlyArray<SuspendedOverview> }
) => (
  <>
    {suspended.map(({ id, leftMs, planName }) => (
      <Notice key={id} kind="warning">
        {sayOf(context, "window")("suspended", {
          plan: planName,
          days: Math.max(0, Math.ceil(leftMs / DAY_MS))
        })}
      </Notice>
    ))}
  </>
)
