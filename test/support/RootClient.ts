/**
 * Root in a browser: signed in, with the forms of models filled in.
 */
import { Effect } from "effect"
import { ConsoleClient } from "./ConsoleClient.ts"
import { ConsoleWorld } from "./ConsoleWorld.ts"

export const signIn = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const root = yield* world.root
  return { root, client: new ConsoleClient(world.origin, { session: yield* world.session(root.id) }) }
})

/** The fields of a model's form that have to be there. */
export const modelForm = (more: Readonly<Record<string, string>> = {}) => ({
  input: "2.5",
  output: "10",
  cached_input: "",
  cache_write: "",
  max_output_tokens: "1000",
  ...more
})

/** The revision that a page's form was filled in on. */
export const revisionIn = (text: string): string => /name="revision" value="(\d+)"/.exec(text)?.[1] ?? ""
