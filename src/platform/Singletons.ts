/**
 * Background work that one server of an installation is enough for. Where servers know one another it runs in one of them, and in
 * another one within seconds when that one ends; elsewhere each runs it. So the work must bear that two do it for a moment.
 */
import { Context, Effect, type Scope } from "effect"

/** Runs work, which never ends by itself, as long as the scope. */
export type RunSingleton = <E, R>(
  name: string,
  work: Effect.Effect<void, E, R>
) => Effect.Effect<void, never, R | Scope.Scope>

export const Singletons = Context.Reference<RunSingleton>("realms/platform/Singletons", {
  defaultValue: (): RunSingleton => (_, work) => Effect.asVoid(Effect.forkScoped(work))
})
