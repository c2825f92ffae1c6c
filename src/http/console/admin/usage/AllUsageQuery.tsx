/**
 * What an address of root's usage pages asks for: a period and which calls of it, of whom, by which channel. What is no filter
 * is left out; a user that is not there has no calls.
 */
import { Effect, Option } from "effect"
import { UserId } from "../../../../domain/Ids.ts"
import { type User, Users } from "../../../../identity/Users.ts"
import type { WideCallFilter } from "../../../../usage/AllCalls.ts"
import { Notice, PageHeading } from "../../kit/Parts.tsx"
import { RangePicker } from "../../kit/usage/Sums.tsx"
import { queryText as usageQueryText, readFilter, type UsageQuery } from "../../kit/usage/UsageQuery.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { idOf, searchText } from "../../Params.ts"

/** No user has this id. */
const NOBODY = UserId.make(0n)

export interface AllUsageQuery extends UsageQuery {
  readonly filter: WideCallFilter
  /** As typed: an id or an e-mail address; empty for everybody. */
  readonly userText: string
  /** Undefined: nobody was asked for, or nobody is that. */
  readonly user: User | undefined
}

const findUser = Effect.fnUntraced(function*(text: string) {
  const users = yield* Users
  const id = idOf(text, UserId)
  return Option.getOrUndefined(id === undefined ? yield* users.findByEmail(text) : yield* users.findById(id))
})

export const readAllUsage = Effect.fnUntraced(function*(context: PageContext) {
  const usage = readFilter(context)
  const userText = searchText(context.query, "user") ?? ""
  const channel = searchText(context.query, "channel")
  const user = userText === "" ? undefined : yield* findUser(userText)
  return {
    ...usage,
    filter: {
      ...usage.filter,
      userId: userText === "" ? undefined : user?.id ?? NOBODY,
      channel
    },
    userText,
    user,
    isFiltered: usage.isFiltered || userText !== "" || channel !== undefined
  } satisfies AllUsageQuery
})

/** The parts of the address besides the period. */
const partsOf = ({ filter, userText }: AllUsageQuery) => ({
  user: userText,
  model: filter.model ?? "",
  channel: filter.channel ?? "",
  key: filter.keyId?.toString() ?? "",
  state: filter.state ?? "",
  status: filter.status ?? "",
  funding: filter.funding ?? ""
})

/** The address's query for the same period and filter, with other parts of it changed or, where empty, left out. */
export const queryText = (query: AllUsageQuery, changes: Readonly<Record<string, string>> = {}): string =>
  usageQueryText(query, { ...partsOf(query), ...changes })

/** A page of usage at its address. */
export const placeOf = (context: PageContext, path: string, query: AllUsageQuery) => ({
  context,
  path,
  queryOf: (changes: Readonly<Record<string, string>> = {}) => queryText(query, changes)
})

interface UsageTopProps extends ReturnType<typeof placeOf> {
  readonly query: AllUsageQuery
  readonly title: string
  /** The page that shows the same in another way. */
  readonly other: { readonly path: string; readonly text: string }
}

/** The top of a page of usage: its heading and period, and that there is no such user. */
export const UsageTop = ({ other, query, title, ...place }: UsageTopProps) => (
  <>
    <PageHeading title={title}>
      <a class="btn" href={`${other.path}?${queryText(query)}`}>{other.text}</a>
    </PageHeading>
    <RangePicker {...place} range={query.range} kept={partsOf(query)} />
    {query.userText !== "" && query.user === undefined
      ? <Notice kind="warning">{sayOf(place.context, "allUsage")("user.unknown", { name: query.userText })}</Notice>
      : null}
  </>
)
