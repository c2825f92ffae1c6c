/**
 * One user's refused calls of a period, on the user's own page of usage and on root's. Where there are none, nothing is shown.
 */
import { Effect } from "effect"
import type { UserId } from "../../../../domain/Ids.ts"
import { REFUSED_DAYS, REFUSED_PER_USER_MAX, RefusedCalls, type RefusedPage } from "../../../../usage/RefusedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Pager } from "../../ui/Pager.tsx"
import { Card, Nothing } from "../../ui/Parts.tsx"
import { ItemTable } from "../ItemTable.tsx"
import { CallMoment, keyText } from "./CallParts.tsx"
import type { UsageQuery } from "./UsageQuery.ts"

/** The part of an address that names the page of refused calls. */
const CURSOR = "refused_before"

/** Undefined where the address asks for calls of a state or a payer, which refused calls do not have. */
export const readRefused = Effect.fnUntraced(function*(context: PageContext, userId: UserId, { filter }: UsageQuery) {
  return filter.state !== undefined || filter.funding !== undefined
    ? undefined
    : yield* (yield* RefusedCalls).list(userId, filter, context.query.get(CURSOR) ?? undefined)
})

interface RefusedProps {
  readonly context: PageContext
  readonly refused: RefusedPage | undefined
  /** Of the page that shows it. */
  readonly path: string
  /** That page's query, with these parts changed or, where empty, left out. */
  readonly queryOf: (changes: Readonly<Record<string, string>>) => string
}

export const RefusedCard = ({ path, queryOf, refused, context }: RefusedProps) => {
  const say = sayOf(context, "refused")
  const sayUsage = sayOf(context, "usage")
  const { count } = context.formats
  const isContinued = context.query.has(CURSOR)
  if (refused === undefined || (refused.items.length === 0 && !isContinued)) return null
  const { items, next } = refused
  const hrefOf = (changes: Readonly<Record<string, string>>) => `${path}?${queryOf(changes)}#refused`
  return (
    <Card title={say("refused")} class="mt-3">
      <div id="refused" class="card-body border-bottom text-secondary">
        {say("refused.lead", { count: count(REFUSED_PER_USER_MAX), days: count(REFUSED_DAYS) })}
      </div>
      {items.length === 0 ? <Nothing icon="usage" title={say("refused.none")} /> : (
        <ItemTable
          caption={say("refused")}
          columns={[
            { title: sayUsage("time"), cell: (call) => <CallMoment context={context} call={call} /> },
            {
              title: sayUsage("model"),
              cell: ({ model }) => model === null ? "–" : <code class="break-anywhere">{model}</code>
            },
            { title: sayUsage("key"), wide: true, cell: (call) => keyText(context, call) },
            { title: sayUsage("receipt.endpoint"), wide: true, cell: ({ endpoint }) => endpoint },
            {
              title: sayUsage("status"),
              cell: ({ code, status }) => [`${status} `, <code class="break-anywhere">{code}</code>]
            },
            { title: sayUsage("receipt.id"), wide: true, cell: ({ id }) => <code class="break-anywhere">{id}</code> }
          ]}
          items={items}
        />
      )}
      <Pager
        newest={isContinued ? { href: hrefOf({}), text: say("refused.newest") } : undefined}
        older={next === undefined ? undefined : { href: hrefOf({ [CURSOR]: next }), text: say("refused.older") }}
      />
    </Card>
  )
}
