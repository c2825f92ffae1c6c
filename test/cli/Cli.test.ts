/**
 * The command line run in this process over services in memory: what goes to standard output, what to standard error, and
 * the exit code. Services that must not be started fail the test when they are.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Redacted, Runtime, Stdio, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { TestConsole } from "effect/testing"
import { DebitRefused } from "../../src/accounts/AccountError.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { Post } from "../../src/accounts/AccountState.ts"
import { type CliParts, makeCli, runCli } from "../../src/cli/Cli.ts"
import { DemoOptions } from "../../src/cli/demo/Demo.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { ApiKeyNotFound } from "../../src/identity/IdentityError.ts"
import { type NewUser, type User, Users } from "../../src/identity/Users.ts"

const ada: User = { id: 7n, email: "ada@example.com", role: "user", createdAt: new Date(0), disabledAt: null }

interface Seen {
  readonly users: Array<NewUser>
  readonly posts: Array<Post>
  readonly revoked: Array<bigint>
}

const unused = Effect.die(new Error("not expected to be used"))

/** Only what the commands call; the rest is a defect. */
const accountsOf = (seen: Seen): Accounts["Service"] => ({
  reserve: () => unused,
  extend: () => unused,
  commit: () => unused,
  void: () => unused,
  post: (_userId, entry) =>
    Effect.suspend(() => {
      seen.posts.push(entry)
      return entry.amountMicros < -5_000_000n
        ? Effect.fail(new DebitRefused({ neededMicros: -entry.amountMicros, availableMicros: 5_000_000n }))
        : Effect.succeed({ usdMicros: 5_000_000n + entry.amountMicros, owedMicros: 0n, repeated: false })
    }),
  sweep: unused,
  invalidate: () => undefined,
  invalidateAll: unused,
  openCount: () => 0,
  isAvailable: () => true,
  drain: () => unused,
  replay: unused
})

const servicesOf = (seen: Seen) =>
  Layer.mergeAll(
    Layer.succeed(Users, {
      create: (user) =>
        Effect.sync(() => {
          seen.users.push(user)
          return { ...ada, email: user.email, role: user.role }
        }),
      list: Effect.succeed([ada]),
      findByEmail: (email) => Effect.succeed(email === ada.email ? Option.some(ada) : Option.none()),
      findById: (id) => Effect.succeed(id === ada.id ? Option.some(ada) : Option.none())
    }),
    Layer.succeed(ApiKeys, {
      create: () => Effect.succeed({ id: 12n, key: Redacted.make("sk-secret"), hint: "sk-…cret" }),
      revoke: (id) =>
        id === 12n
          ? Effect.sync(() => {
            seen.revoked.push(id)
          })
          : Effect.fail(new ApiKeyNotFound({ keyId: id })),
      authenticate: () => unused,
      cached: () => undefined
    }),
    Layer.succeed(Accounts, accountsOf(seen)),
    Layer.effect(SqlClient.SqlClient, Effect.die(new Error("no database in this test")).pipe(Effect.as(sqlNever)))
  )
