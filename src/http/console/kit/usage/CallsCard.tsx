/**
 * The calls of a period one by one: what they are narrowed by, their file to download, and the links to other pages of them.
 */
import type { ComponentChildren, ComponentProps } from "preact"
import type { CallItem } from "../../../../usage/CallItem.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FilterChoice } from "../../ui/FilterParts.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Card, Nothing } from "../../ui/Parts.tsx"
import { type ItemColumn, ItemTable } from "../ItemTable.tsx"
import { callStates, fundings } from "./CallParts.tsx"
import type { UsageQuery } from "./UsageQuery.ts"

/** A part of the filter that is one of several. */
export type CallChoice = Omit<ComponentProps<typeof FilterChoice>, "all">

/** What every list of calls is narrowed by. */
export const callChoices = (context: PageContext, { filter }: UsageQuery): ReadonlyArray<CallChoice> => {
  const say = sayOf(context, "usage")
  const states = Object.entries(callStates).map(([state, [, key]]) => [state, say(key)] as const)
  const payers = Object.entries(fundings).map(([funding, key]) => [funding, say(key)] as const)
  return [
    { name: "state", label: say("state"), chosen: filter.state, options: states },
    { name: "funding", label: say("funding"), chosen: filter.funding, options: payers }
  ]
}

interface CallsCardProps<Call> {
  readonly context: PageContext
  readonly calls: CallPage<Call>
  readonly columns: ReadonlyArray<ItemColumn<Call>>
  readonly query: UsageQuery
  /** Of the page that shows the card. */
  readonly path: string
  /** Of the file. */
  readonly csvPath: string
  /** The page's query, with these parts changed. */
  readonly queryOf: (changes?: Readonly<Record<string, string>>) => string
  readonly choices: ReadonlyArray<CallChoice>
  /** Texts that calls are narrowed by, before the choices. */
  readonly texts?: ComponentChildren
  /** Beside the button, such as a link to all calls. */
  readonly actions?: ComponentChildren
  readonly none: { readonly title: string; readonly text: string }
}

export function CallsCard<Call extends CallItem>(props: CallsCardProps<Call>) {
  const { actions, calls, choices, columns, csvPath, none, path, query: { range }, queryOf, texts, context } = props
  const say = sayOf(context, "usage")
  const isContinued = context.query.has("before")
  const kept = { range: range.name, ...(range.name === "custom" ? { from: range.from, to: range.to } : {}) }
  const hrefOf = (changes?: Readonly<Record<string, string>>) => `${path}?${queryOf(changes)}#calls`
  const csv = <a class="btn btn-sm" href={`${csvPath}?${queryOf()}`} download>{say("export")}</a>
  return (
    <Card title={say("list")} actions={csv}>
      <div id="calls" class="card-body border-bottom">
        <form method="get" action={`${path}#calls`} class="row g-2 align-items-end">
          {Object.entries(kept).map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
          {texts}
          {choices.map((choice) => <FilterChoice key={choice.name} all={say("all")} {...choice} />)}
          <div class="col-12 col-md-auto d-flex gap-2">
            <button class="btn flex-fill" type="submit">{say("filter")}</button>
            {actions}
          </div>
        </form>
      </div>
      {calls.items.length > 0
        ? <ItemTable caption={say("list")} columns={columns} items={calls.items} />
        : calls.exhausted
        ? <Nothing icon="usage" {...none} />
        : <Nothing icon="filter" title={say("keepLooking")} />}
      <Pager
        newest={isContinued ? { href: hrefOf(), text: say("newest") } : undefined}
        older={calls.next === undefined ? undefined : { href: hrefOf({ before: calls.next }), text: say("older") }}
      />
    </Card>
  )
}
