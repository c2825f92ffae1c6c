/**
 * States of a login at a provider: good for what they were made for, in one spelling.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { keyOfState, makeState, type SignInPurpose } from "../../src/identity/SignInState.ts"

const key = { id: "1", bytes: Redacted.make(new Uint8Array(32).fill(7)) }

const about: SignInPurpose = {
  provider: "oidc",
  issuer: "https://id.example",
  clientId: "realms",
  purpose: "login",
  visitor: "a cookie"
}

describe("a state", () => {
  it.effect("is good for what it was made for, and for nothing else", () =>
    Effect.gen(function*() {
      const state = yield* makeState(key, about)
      assert.strictEqual(yield* keyOfState([key], state, about), key)
      const others: ReadonlyArray<Partial<SignInPurpose>> = [
        { provider: "github" },
        { issuer: "https://other.example" },
        { clientId: "another" },
        { purpose: "link" },
        { visitor: "another cookie" }
      ]
      for (const other of others) {
        assert.isUndefined(yield* keyOfState([key], state, { ...about, ...other }), JSON.stringify(other))
      }
    }))

  it.effect("is good in one spelling, so that it is used once", () =>
    Effect.gen(function*() {
      const state = yield* makeState(key, about)
      for (const other of [`${state}=`, ` ${state}`, `${state}!`, `${state.slice(0, 9)}\n${state.slice(9)}`]) {
        assert.isUndefined(yield* keyOfState([key], other, about), JSON.stringify(other))
      }
    }))
})
