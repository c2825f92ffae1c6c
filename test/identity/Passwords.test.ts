import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { hashPassword, verifyPassword } from "../../src/identity/Passwords.ts"

const password = Redacted.make("correct horse 电池")

/** Made by the reference implementation's command: `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32`. */
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

describe("Passwords", () => {
  it.live("verify against their own hash only", () =>
    Effect.gen(function*() {
      const phc = yield* hashPassword(password)
      assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
      assert.isTrue(yield* verifyPassword(password, phc))
      assert.isFalse(yield* verifyPassword(Redacted.make("correct horse"), phc))
    }))

  it.live("are salted", () =>
    Effect.gen(function*() {
      assert.notStrictEqual(yield* hashPassword(password), yield* hashPassword(password))
    }))

  it.live("verify a hash of other parameters, as the reference implementation makes it", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* verifyPassword(Redacted.make("password"), reference))
      assert.isFalse(yield* verifyPassword(Redacted.make("Password"), reference))
    }))

  it.live("match no damaged hash, and do not let one take all memory", () =>
    Effect.gen(function*() {
      const damaged = [
        "",
        "password",
        reference.replace("argon2id", "argon2i"),
        reference.replace("v=19", "v=16"),
        reference.replace("m=65536", "m=4294967295"),
        reference.replace("t=2", "t=0"),
        reference.replace("p=1", "p=0"),
        reference.slice(0, -30)
      ]
      for (const phc of damaged) assert.isFalse(yield* verifyPassword(Redacted.make("password"), phc), phc)
    }))
})
