/**
 * The calls of one user, one by one: pages for people and a stream for files, newest first. A page looks at a bounded number
 * of rows however rarely its filter matches, and says where to go on; nothing is held open between two pages.
 */
import { Context, Effect, Layer, type Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { ListedCall } from "./CallItem.ts"
import { type CallFilter, type CallPage, callReader } from "./CallPages.ts"
import type { UsageRefused } from "./UsageRefused.ts"

export { type CallFilter, type CallPage, LOOKED_ROWS_MAX, type StatusClass, statusClasses } from "./CallPages.ts"

export class CallList extends Context.Service<CallList, {
  /** 50 calls at most, after `cursor`, which is the `next` of another page of the same filter. */
  page(
    userId: UserId,
    filter: CallFilter,
    cursor?: string
  ): Effect.Effect<CallPage<ListedCall>, UsageRefused | DatabaseUnavailable>
  /** All calls that the filter matches, newest first, read as they are taken. A call may change while they are. */
  rows(userId: UserId, filter: CallFilter): Stream.Stream<ListedCall, UsageRefused | DatabaseUnavailable>
}>()("realms/usage/CallList") {
  static readonly layer = Layer.effect(CallList)(Effect.gen(function*() {
    const reader = callReader(yield* SqlClient.SqlClient, ListedCall)
    return CallList.of({
      page: Effect.fn("CallList.page")(function*(userId: UserId, filter: CallFilter, cursor?: string) {
        return yield* reader.page({ ...filter, userId }, cursor)
      }),
      rows: (userId, filter) => reader.rows({ ...filter, userId })
    })
  }))
}
