/**
 * The models that can be called: those of the catalog that an enabled channel serves with a key that opens here.
 */
import { Effect } from "effect"
import { Catalog } from "../catalog/Catalog.ts"
import { Channels } from "../channels/Channels.ts"

/** By id. */
export const servedModels = Effect.gen(function*() {
  const ids = yield* (yield* Channels).servedModels
  return (yield* (yield* Catalog).list).filter(({ id }) => ids.has(id))
})
