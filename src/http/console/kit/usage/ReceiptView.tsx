/**
 * The receipt of one call: how its cost comes about from tokens and prices, what was held, what was charged, and by whom it
 * was paid.
 */
import { DateTime } from "effect"
import type { ComponentChildren } from "preact"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { MULTIPLIER_ONE } from "../../../../domain/Price.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Card, DataTable, Moment } from "../../ui/Parts.tsx"
import { CallBadge, fundingName } from "./CallParts.tsx"

/** Tokens times micros per million tokens are USD scaled by so many decimals. */
const SUM_SCALE = 12

interface Props {
  readonly context: PageContext
  readonly call: CallReceipt
  /** What is told to root alone, below the facts that its user sees. */
  readonly more?: ComponentChildren
  /** The page of all calls. */
  readonly back?: string
}

const Breakdown = ({ call, context }: Props) => {
  const say = sayOf(context, "usage")
  const { formats } = context
  const buckets = [
    [say("input"), call.inputTokens, call.price.inputMicrosPer1m],
    [say("cachedInput"), call.cachedInputTokens, call.price.cachedInputMicrosPer1m],
    [say("cacheWrite"), call.cacheWriteTokens, call.price.cacheWriteMicrosPer1m ?? call.price.inputMicrosPer1m],
    [say("output"), call.outputTokens, call.price.outputMicrosPer1m]
  ] as const
  const rows = buckets.filter(([, tokens], index) => index === 0 || index === 3 || (tokens ?? 0) > 0)
    .map(([name, tokens, price]) => [
      name,
      formats.count(tokens ?? 0),
      formats.usd(price),
      formats.usdExact(BigInt(tokens ?? 0) * price, SUM_SCALE)
    ])
  const tools = [
    [say("receipt.webSearch"), call.webSearchCalls, call.price.tools?.webSearchMicros],
    [say("receipt.fileSearch"), call.fileSearchCalls, call.price.tools?.fileSearchMicros]
  ] as const
  for (const [name, calls, micros] of tools) {
    if (calls === null) continue
    const price = micros ?? 0n
    rows.push([name, formats.count(calls), formats.usd(price), formats.usd(BigInt(calls) * price)])
  }
  const times = (micros: bigint) => formatDecimal(micros, MICROS_SCALE, 0)
  const isMultiplied = call.billingMultiplier !== MULTIPLIER_ONE ||
    call.planMultiplier !== MULTIPLIER_ONE
  return (
    <Card title={say("receipt.how")}>
      <DataTable
        caption={say("receipt.how")}
        columns={[
          { title: say("receipt.bucket") },
          { title: say("tokens"), number: true },
          { title: say("receipt.price"), number: true, wide: true },
          { title: say("receipt.sum"), number: true }
        ]}
        rows={rows}
      />
      <div class="card-body">
        {isMultiplied
          ? (
            <div class="text-secondary">
              {say("receipt.multiplied", {
                billing: times(call.billingMultiplier),
                plan: times(call.planMultiplier)
              })}
            </div>
          )
          : null}
        <div class="d-flex justify-content-between flex-wrap gap-2">
          <span>{say("receipt.rounded")}</span>
          <strong>{call.costMicros === null ? "–" : formats.usd(call.costMicros)}</strong>
        </div>
      </div>
    </Card>
  )
}

const Facts = ({ call, more, context }: Props) => {
  const say = sayOf(context, "usage")
  const { formats } = context
  const duration = call.latencyMs === null ? "–" : formats.seconds(call.latencyMs)
  const first = call.ttftMs === null ? "" : `, ${say("receipt.ttft", { time: formats.seconds(call.ttftMs) })}`
  return (
    <dl class="facts">
      <dt>{say("time")}</dt>
      <dd>
        <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
      </dd>
      <dt>{say("model")}</dt>
      <dd>
        <code>{call.model}</code>
      </dd>
      <dt>{say("receipt.endpoint")}</dt>
      <dd>{call.endpoint}{call.stream ? ` (${say("receipt.stream")})` : ""}</dd>
      <dt>{say("state")}</dt>
      <dd>
        <CallBadge context={context} state={call.state} /> {call.late ? say("receipt.late") : null}
      </dd>
      <dt>{say("funding")}</dt>
      <dd>{fundingName(context, call.funding)}</dd>
      <dt>{say("receipt.reserved")}</dt>
      <dd>{formats.usd(call.reservedMicros)}</dd>
      <dt>{say("charged")}</dt>
      <dd>
        <strong>{call.chargedMicros === null ? "–" : formats.usd(call.chargedMicros)}</strong>
      </dd>
      {call.usageSource === null ? null : (
        <>
          <dt>{say("receipt.source")}</dt>
          <dd>{call.usageSource === "upstream" ? say("receipt.exact") : say("receipt.estimated")}</dd>
        </>
      )}
      <dt>{say("duration")}</dt>
      <dd>{duration}{first}</dd>
      {call.status === null ? null : (
        <>
          <dt>{say("status")}</dt>
          <dd>{call.status}</dd>
        </>
      )}
      {call.reason === null || call.reason === "" ? null : (
        <>
          <dt>{say("receipt.reason")}</dt>
          <dd>
            <code>{call.reason}</code>
          </dd>
        </>
      )}
      <dt>{say("receipt.id")}</dt>
      <dd>
        <code>{call.id}</code>
      </dd>
      {more}
    </dl>
  )
}

export const ReceiptView = ({ back = "/usage", call, more, context }: Props) => {
  const say = sayOf(context, "usage")
  const short = (call.costMicros ?? 0n) - (call.chargedMicros ?? 0n)
  return (
    <>
      <h1 class="page-title mb-3">{say("receipt")}</h1>
      {call.state === "reserved" ? <Notice kind="info">{say("receipt.open")}</Notice> : null}
      {call.state === "committed" && call.funding !== "free" && short > 0n
        ? <Notice kind="warning">{say("receipt.shortfall", { amount: context.formats.usd(short) })}</Notice>
        : null}
      <div class="row g-3">
        <div class="col-lg-5">
          <Card>
            <div class="card-body">
              <Facts call={call} context={context} more={more} />
            </div>
          </Card>
        </div>
        <div class="col-lg-7">
          <Breakdown call={call} context={context} />
        </div>
      </div>
      <p class="mt-3 d-print-none">
        <a href={back}>{say("back")}</a>
      </p>
    </>
  )
}
