/**
 * One page of a list: its items, and whether more follow.
 */
import { Effect } from "effect"
import type { PageContext } from "../PageContext.ts"
import { idOf } from "../PathId.ts"

export interface Listed<Item> {
  readonly items: ReadonlyArray<Item>
  readonly hasMore: boolean
}

interface Range {
  readonly limit: number
  readonly before: bigint | undefined
}

/** The cursor of a list that goes on before the id of its last item. */
export const byId = { name: "before", of: ({ id }: { readonly id: bigint }) => id }

/** Reads the page that the address asks for, and one item more to know whether more follow. An answer to a form shows the first. */
export const readListed = <Item, E, R>(
  { isForm, query }: PageContext,
  { name = byId.name, size }: { readonly size: number; readonly name?: string },
  read: (range: Range) => Effect.Effect<ReadonlyArray<Item>, E, R>
): Effect.Effect<Listed<Item>, E, R> =>
  Effect.map(
    read({ limit: size + 1, before: isForm ? undefined : idOf(query.get(name)) }),
    (found) => ({ items: found.slice(0, size), hasMore: found.length > size })
  )
