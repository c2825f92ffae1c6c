/**
 * A call that was refused before it had a hold: what was asked for, and why it was not done.
 */
import type { RefusedCall } from "../../../../usage/RefusedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { type Fact, Facts, Notice, PageHeading, Panel, StateBadge } from "../Parts.tsx"
import { callReason } from "./CallReasons.ts"
import { CallMoment, callStates, keyText, ModelCode } from "./Calls.tsx"

interface RefusedProps {
  readonly context: PageContext
  readonly call: RefusedCall
  /** Facts for root besides those that the user sees. */
  readonly more?: ReadonlyArray<Fact>
  /** The page of all calls. */
  readonly back?: string
}

/** What more money would have changed. */
const moneyCodes: ReadonlySet<string> = new Set(["insufficient_quota", "funds_held", "subscription_quota_exceeded"])

export const RefusedView = ({ back = "/usage", call, more = [], context }: RefusedProps) => {
  const say = sayOf(context, "usage")
  const sayRefused = sayOf(context, "refused")
  const isOwn = call.userId === context.user?.id
  return (
    <>
      <PageHeading title={sayRefused("refused")} />
      <Notice kind="info">
        {sayRefused("refused.free")}{" "}
        {isOwn && moneyCodes.has(call.code) ? <a href="/topup">{context.say("nav.topup")}</a> : null}
      </Notice>
      <Panel>
        <Facts
          facts={[
            [say("time"), <CallMoment context={context} call={call} />],
            [say("model"), <ModelCode model={call.model} />],
            [say("receipt.endpoint"), call.endpoint],
            [say("key"), keyText(context, call)],
            [say("state"), <StateBadge say={say} states={callStates} state="refused" />],
            [say("receipt.reason"), callReason(context, call.code)],
            [say("status"), [`${call.status} `, <code class="break-anywhere">{call.code}</code>]],
            [say("receipt.id"), <code class="break-anywhere">{call.id}</code>],
            ...more
          ]}
        />
      </Panel>
      <p class="mt-3 d-print-none">
        <a href={back}>{say("back")}</a>
      </p>
    </>
  )
}
