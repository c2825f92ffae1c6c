/**
 * One user's refused calls of a period, on the user's own page of usage and on root's. Where there are none, nothing is shown.
 */
import { DateTime, Effect } from "effect"
import type { UserId } from "../../../../domain/Ids.ts"
import {
  REFUSED_DAYS,
  REFUSED_PER_USER_MAX,
  type RefusedCall,
  RefusedCalls,
  type RefusedPage
} from "../../../../usage/RefusedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Card, DataTable, Moment, Nothing } from "../../ui/Parts.tsx"
import type { UsageQuery } from "./UsageQuery.ts"

/** The part of an address that names the page of refused calls. */
export const REFUSED_CURSOR = "refused_before"

/** A page of them, and whether it is not the first. */
export interface ShownRefusals extends RefusedPage {
  readonly isContinued: boolean
}

/** Undefined where the address asks for calls of a state or a payer, which refused calls do not have. */
export const readRefused = Effect.fnUntraced(function*(context: PageContext, userId: UserId, { filter }: UsageQuery) {
  if (filter.state !== undefined || filter.funding !== undefined) return undefined
  const cursor = context.query.get(REFUSED_CURSOR) ?? undefined
  const found = yield* (yield* RefusedCalls).list(userId, filter, cursor)
  return { ...found, isContinued: cursor !== undefined } satisfies ShownRefusals
})

const Table = ({ calls, context }: { readonly context: PageContext; readonly calls: ReadonlyArray<RefusedCall> }) => {
  const say = sayOf(context, "usage")
  return (
    <DataTable
      caption={sayOf(context, "refused")("refused")}
      columns={[
        { title: say("time") },
        { title: say("model") },
        { title: say("key"), wide: true },
        { title: say("receipt.endpoint"), wide: true },
        { title: sayOf(context, "refused")("refused.answer") },
        { title: say("receipt.id"), wide: true }
      ]}
      rows={calls.map((call) => [
        <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />,
        call.model === null ? "–" : <code class="break-anywhere">{call.model}</code>,
        call.keyName === null || call.keyName === "" ? call.keyHint ?? say("key.none") : call.keyName,
        call.endpoint,
        <>
          {call.status} <code class="break-anywhere">{call.code}</code>
        </>,
        <code class="break-anywhere">{call.id}</code>
      ])}
    />
  )
}

export const RefusedCard = (
  { path, queryOf, refused, context }: {
    readonly context: PageContext
    readonly refused: ShownRefusals | undefined
    /** Of the page that shows it. */
    readonly path: string
    /** That page's query, with these parts changed or, where empty, left out. */
    readonly queryOf: (changes: Readonly<Record<string, string>>) => string
  }
) => {
  const say = sayOf(context, "refused")
  if (refused === undefined || (refused.items.length === 0 && !refused.isContinued)) return null
  const { isContinued, items, next } = refused
  const lead = say("refused.lead", {
    count: context.formats.count(REFUSED_PER_USER_MAX),
    days: context.formats.count(REFUSED_DAYS)
  })
  return (
    <Card title={say("refused")} class="mt-3">
      <div id="refused" class="card-body border-bottom text-secondary">{lead}</div>
      {items.length === 0
        ? <Nothing icon="usage" title={say("refused.none")} />
        : <Table context={context} calls={items} />}
      {isContinued || next !== undefined
        ? (
          <div class="card-footer d-flex justify-content-between">
            {isContinued ? <a href={`${path}?${queryOf({})}#refused`}>{say("refused.newest")}</a> : <span />}
            {next === undefined
              ? null
              : <a href={`${path}?${queryOf({ [REFUSED_CURSOR]: next })}#refused`}>{say("refused.older")}</a>}
          </div>
        )
        : null}
    </Card>
  )
}
