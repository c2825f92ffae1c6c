/**
 * Tests that are a title and their steps. What all tests of a suite begin with is given to the steps, and what holds for all of
 * them is looked at in the end.
 */
import { layer, type Vitest } from "@effect/vitest"
import { Effect, type Layer, type Scope } from "effect"

/** What `Effect.gen` runs. */
export type Steps<Given, R> = (given: Given) => Generator<Effect.Effect<unknown, unknown, R | Scope.Scope>, void, never>

/** Each test begins with `given` and ends with `after`. */
export const testsOf = <Given, R>(
  run: Vitest.MethodsNonLive<R>["effect"],
  given: Effect.Effect<Given, unknown, R | Scope.Scope>,
  after: (given: Given) => Effect.Effect<unknown, unknown, R | Scope.Scope> = () => Effect.void
) =>
(title: string, steps: Steps<Given, R>, timeoutMs?: number) =>
  run(title, () =>
    Effect.gen(function*() {
      const ours = yield* given
      yield* Effect.gen(() => steps(ours))
      yield* after(ours)
    }), timeoutMs)

/** Tests over the same services, which are made once. */
export const testsOver =
  <R, E>(services: Layer.Layer<R, E>) =>
  (title: string, tests: (test: (title: string, steps: Steps<void, R>, timeoutMs?: number) => void) => void) =>
    layer(services, { excludeTestServices: true })(title, (it) => tests(testsOf(it.effect, Effect.void)))
