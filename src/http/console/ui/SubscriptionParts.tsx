/**
 * A running subscription: how full each of its windows is, and when there is room again.
 */
import type { SubscriptionOverview, SuspendedOverview, WindowOverview } from "../../../accounts/AccountOverview.ts"
import { defineMessages } from "../text/Messages.ts"
import { sayOf, type Visit } from "../Visit.ts"
import { Notice } from "./Forms.tsx"
import { windowName } from "./OrderParts.tsx"
import { Badge, Meter, Moment } from "./Parts.tsx"

export const windowText = defineMessages({
  "used": "{used} of {limit}",
  "open": "{open} held by open calls",
  "relief": "frees up from {at}",
  "until": "until",
  "from": "starts",
  "coming": "Coming",
  "running": "Running",
  "unlimited": "No spending limit",
  "suspended":
    "{plan} is suspended: what was paid for it is disputed, or on its way back. {days} days of it are left, and go on if the payment stands.",
  "meter": "{window}: {used} used and {open} held of {limit}"
}, {
  "used": "{used} / {limit}",
  "open": "进行中的调用占用 {open}",
  "relief": "{at} 起释放",
  "until": "有效期至",
  "from": "开始于",
  "coming": "待生效",
  "running": "生效中",
  "unlimited": "不限额度",
  "suspended": "{plan} 已暂停：这笔付款存在争议，或正在退款。剩余 {days} 天，如果付款有效将继续计算。",
  "meter": "{window}：已用 {used}，占用 {open}，上限 {limit}"
})

const WindowBar = ({ visit, window }: { readonly visit: Visit; readonly window: WindowOverview }) => {
  const say = sayOf(visit, windowText)
  const { formats } = visit
  const name = windowName(visit, window.hours)
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
  { subscription, visit }: { readonly visit: Visit; readonly subscription: SubscriptionOverview }
) => {
  const say = sayOf(visit, windowText)
  const isComing = subscription.startsAt.getTime() > visit.now.getTime()
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
          ? <p class="text-secondary">{say("unlimited")}</p>
          : subscription.windows.map((window) => <WindowBar key={window.hours} visit={visit} window={window} />)}
        <div class="text-secondary">
          {isComing
            ? (
              <div>
                {say("from")} <Moment visit={visit} at={subscription.startsAt} />
              </div>
            )
            : null}
          <div>
            {say("until")} <Moment visit={visit} at={subscription.endsAt} />
          </div>
        </div>
      </div>
    </section>
  )
}

const DAY_MS = 86_400_000

/** Says which plans are suspended, and what is left of them. */
export const SuspendedNotices = (
  { suspended, visit }: { readonly visit: Visit; readonly suspended: ReadonlyArray<SuspendedOverview> }
) => (
  <>
    {suspended.map(({ id, leftMs, planName }) => (
      <Notice key={id} kind="warning">
        {sayOf(visit, windowText)("suspended", {
          plan: planName,
          days: visit.formats.count(Math.max(0, Math.ceil(leftMs / DAY_MS)))
        })}
      </Notice>
    ))}
  </>
)
