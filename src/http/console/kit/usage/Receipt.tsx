/**
 * The receipt of one call: how its cost comes about from tokens and prices, what was held, what was charged, and by whom it
 * was paid.
 */
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { MULTIPLIER_ONE } from "../../../../domain/Price.ts"
import { type CostLine, costLines, SUM_SCALE } from "../../../../usage/CostLines.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { TableCard } from "../List.tsx"
import { type Fact, Facts, Grid, Notice, Panel, StateBadge } from "../Parts.tsx"
import { callReason } from "./CallReasons.ts"
import { CallMoment, callStates, endpointText, fundings, keyText } from "./Calls.tsx"

interface Props {
  readonly context: PageContext
  readonly call: CallReceipt
  /** Facts for root besides those that the user sees. */
  readonly more?: ReadonlyArray<Fact>
  /** The page of all calls. */
  readonly back?: string
}

const lineNames: Readonly<Record<CostLine["name"], TextKey<"usage">>> = {
  input: "input",
  cachedInput: "cachedInput",
  cacheWrite: "cacheWrite",
  output: "output",
  webSearch: "receipt.webSearch",
  fileSearch: "receipt.fileSearch"
}

const Breakdown = ({ call, context }: Props) => {
  const say = sayOf(context, "usage")
  const { count, usd, usdExact } = context.formats
  const multipliers = [call.billingMultiplier, call.planMultiplier, call.groupMultiplier]
  const [billing = "", plan = "", group = ""] = multipliers.map((micros) =>
    formatDecimal(micros, { scale: MICROS_SCALE })
  )
  const isMultiplied = multipliers.some((multiplier) => multiplier !== MULTIPLIER_ONE)
  return (
    <TableCard
      class=""
      title={say("receipt.how")}
      items={costLines(call)}
      columns={[
        { title: say("receipt.bucket"), cell: ({ name }) => say(lineNames[name]) },
        { title: say("tokens"), number: true, cell: (line) => count(line.count) },
        { title: say("receipt.price"), number: true, wide: true, cell: ({ priceMicros }) => usd(priceMicros) },
        { title: say("receipt.sum"), number: true, cell: ({ sum }) => usdExact(sum, SUM_SCALE) }
      ]}
    >
      <div class="card-body">
        {isMultiplied
          ? <div class="text-secondary">{say("receipt.multiplied", { billing, plan, group })}</div>
          : null}
        <div class="d-flex justify-content-between flex-wrap gap-2">
          <span>{say("receipt.rounded")}</span>
          <strong>{call.costMicros === null ? "–" : usd(call.costMicros)}</strong>
        </div>
      </div>
    </TableCard>
  )
}

const factsOf = ({ call, context }: Props): ReadonlyArray<Fact> => {
  const say = sayOf(context, "usage")
  const { seconds, usd } = context.formats
  const duration = call.latencyMs === null ? "–" : seconds(call.latencyMs)
  const late = call.late ? ` ${say("receipt.late")}` : null
  const first = call.ttftMs === null ? [] : [say("receipt.ttft", { time: seconds(call.ttftMs) })]
  return [
    [say("time"), <CallMoment context={context} call={call} />],
    [say("model"), <code>{call.model}</code>],
    [say("receipt.endpoint"), endpointText(context, call)],
    [say("key"), keyText(context, call)],
    [say("state"), [<StateBadge say={say} states={callStates} state={call.state} />, late]],
    [say("funding"), say(fundings[call.funding])],
    [say("receipt.reserved"), usd(call.reservedMicros)],
    [say("charged"), <strong>{call.chargedMicros === null ? "–" : usd(call.chargedMicros)}</strong>],
    call.usageSource && [
      say("receipt.source"),
      call.usageSource === "upstream" ? say("receipt.exact") : say("receipt.estimated")
    ],
    [say("duration"), [duration, ...first].join(", ")],
    call.status === null ? null : [say("status"), call.status],
    call.reason === null || call.reason === ""
      ? null
      : [say("receipt.reason"), [callReason(context, call.reason), " ", <code>{call.reason}</code>]],
    [say("receipt.id"), <code>{call.id}</code>]
  ]
}

export const ReceiptView = (props: Props) => {
  const { back = "/usage", call, more = [], context } = props
  const say = sayOf(context, "usage")
  const short = (call.costMicros ?? 0n) - (call.chargedMicros ?? 0n)
  return (
    <>
      <h1 class="page-title mb-3">{say("receipt")}</h1>
      {call.state === "reserved" ? <Notice kind="info">{say("receipt.open")}</Notice> : null}
      {call.state === "committed" && call.funding !== "free" && short > 0n
        ? <Notice kind="warning">{say("receipt.shortfall", { amount: context.formats.usd(short) })}</Notice>
        : null}
      <Grid
        cells={[
          [
            "col-lg-5",
            <Panel>
              <Facts facts={[...factsOf(props), ...more]} />
            </Panel>
          ],
          ["col-lg-7", <Breakdown {...props} />]
        ]}
      />
      <p class="mt-3 d-print-none">
        <a href={back}>{say("back")}</a>
      </p>
    </>
  )
}
