/**
 * The command line run in a test's process over services in memory. Parts that a command must not start fail the test when they are.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { DateTime, Effect, Exit, Layer, Option, Redacted, Stdio, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { TestConsole } from "effect/testing"
import { AccountUnavailable, DebitRefused } from "../../src/accounts/AccountError.ts"
import { type Adjustment, Adjustments } from "../../src/accounts/Adjustments.ts"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { ChannelTest } from "../../src/gateway/ChannelTest.ts"
import { type AdminModel, ModelAdmin } from "../../src/catalog/ModelAdmin.ts"
import { makeCli, runCli } from "../../src/cli/Cli.ts"
import { DemoOptions } from "../../src/cli/DemoCommand.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { ApiKeyId, OrderId, UserId } from "../../src/domain/Ids.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"
import { Fen, Micros } from "../../src/domain/Money.ts"
import { Reconciliation } from "../../src/events/Reconciliation.ts"
import { BillCheck } from "../../src/finance/BillCheck.ts"
import { Exports } from "../../src/finance/Exports.ts"
import { Statements } from "../../src/finance/Statements.ts"
import type { SpendingApiKey } from "../../src/identity/ApiKey.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { ApiKeyNotFound } from "../../src/identity/IdentityError.ts"
import { KeyList } from "../../src/identity/KeyList.ts"
import type { KeyChange } from "../../src/identity/NewApiKey.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { type NewUser, type User, Users } from "../../src/identity/Users.ts"
import { Checkout } from "../../src/orders/Checkout.ts"
import type { Order } from "../../src/orders/Order.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { OrderSearch } from "../../src/orders/OrderSearch.ts"
import { ConfirmationPending, ConfirmationRefused } from "../../src/platform/SecondPerson.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { MigrationError } from "../../src/postgres/Migrations.ts"
import { CodeUnknown } from "../../src/redemption/RedemptionError.ts"
import { Redemptions } from "../../src/redemption/Redemptions.ts"
import { PlanAdmin } from "../../src/subscriptions/PlanAdmin.ts"

export const ada: User = {
  id: UserId.make(7n),
  email: "ada@example.com",
  role: "user",
  createdAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
  disabledAt: null
}

const laptop: SpendingApiKey = {
  id: ApiKeyId.make(12n),
  name: "laptop",
  hint: "sk-…cret",
  createdAt: ada.createdAt,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  pausedAt: null,
  spendLimitMicros: 5_000_000n,
  spendLimitPeriod: "day",
  dayLimitMicros: null,
  monthLimitMicros: null,
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrentCalls: null,
  allowedModels: null,
  allowedNetworks: null,
  spentMicros: 7_250_000n,
  spentOfLimitMicros: 1_000_000n
}

const topup: Order = {
  id: OrderId.make(9n),
  kind: "topup",
  userId: ada.id,
  amountFen: Fen.make(1_000_000n),
  creditMicros: Micros.make(1_400_000_000n),
  bonusMicros: Micros.make(0n),
  terms: null,
  state: "pending",
  subscriptionId: null,
  createdAt: ada.createdAt,
  expiresAt: ada.createdAt,
  settledAt: null
}

const soldModel: AdminModel = {
  id: "gpt-4o-mini",
  declared: true,
  disabledAt: null,
  revision: 1n,
  createdAt: ada.createdAt,
  updatedAt: ada.createdAt,
  channels: ["openai"],
  terms: {
    ...defaultTerms,
    price: {
      inputMicrosPer1m: 150_000n,
      cachedInputMicrosPer1m: 75_000n,
      cacheWriteMicrosPer1m: null,
      outputMicrosPer1m: 600_000n
    }
  }
}

/** What reached the services. */
export class Seen {
  readonly users: Array<NewUser> = []
  readonly posts: Array<Adjustment> = []
  /** Who made changes. */
  readonly actors: Array<string | undefined> = []
  readonly revoked: Array<bigint> = []
  readonly changes: Array<KeyChange> = []
  readonly demoPorts: Array<number> = []
}

const grace: User = { ...ada, id: UserId.make(8n), email: "grace@example.com", role: "root" }

const adjust = (seen: Seen): Adjustments["Service"]["adjust"] => (actor, entry) =>
  Effect.suspend((): ReturnType<Adjustments["Service"]["adjust"]> => {
    seen.posts.push(entry)
    seen.actors.push(actor.name)
    if (entry.amountMicros > 1_000_000_000n) {
      return Effect.fail(
        actor.userId === null
          ? new ConfirmationRefused({ reason: "nobody" })
          : new ConfirmationPending({ id: 3n, expiresAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)) })
      )
    }
    if (entry.note === "away") return Effect.fail(new AccountUnavailable({ reason: "no answer" }))
    return entry.amountMicros < -5_000_000n
      ? Effect.fail(new DebitRefused({ neededMicros: -entry.amountMicros, availableMicros: 5_000_000n }))
      : Effect.succeed({ usdMicros: 5_000_000n + entry.amountMicros, owedMicros: 0n, repeated: false })
  })

/** A client whose every statement is a defect. */
const NoDatabase = Layer.effect(
  SqlClient.SqlClient,
  SqlClient.make({
    acquirer: Effect.die(new Error("there is no database here")),
    compiler: PgClient.makeCompiler(),
    spanAttributes: [],
    driver: "none"
  })
).pipe(Layer.provide(Reactivity.layer))

const servicesOf = (seen: Seen) =>
  Layer.mergeAll(
    Layer.mock(Users, {
      list: Effect.succeed([ada]),
      findByEmail: (email) => Effect.succeed(Option.fromUndefinedOr([ada, grace].find((user) => user.email === email))),
      findById: (id) => Effect.succeed(id === ada.id ? Option.some(ada) : Option.none())
    }),
    Layer.mock(SecondFactors, {}),
    Layer.mock(UserAdmin, {
      create: (actor, user) =>
        Effect.sync(() => {
          seen.users.push(user)
          seen.actors.push(actor.name)
          return { ...ada, email: user.email, role: user.role }
        })
    }),
    Layer.mock(ApiKeys, {
      create: (_key, origin) =>
        Effect.sync(() => {
          seen.actors.push(origin !== undefined && "administrator" in origin ? origin.administrator.name : undefined)
          return { id: ApiKeyId.make(12n), key: Redacted.make("sk-secret"), hint: "sk-…cret" }
        }),
      change: (id, change, by) =>
        id === 12n
          ? Effect.sync(() => {
            seen.changes.push(change)
            seen.actors.push("administrator" in by ? by.administrator.name : undefined)
            return { ...laptop, ...change, pausedAt: change.paused === true ? ada.createdAt : null }
          })
          : Effect.fail(new ApiKeyNotFound({ keyId: id })),
      revoke: (id, actor) =>
        id === 12n
          ? Effect.sync(() => {
            seen.revoked.push(id)
            seen.actors.push(actor?.name)
          })
          : Effect.fail(new ApiKeyNotFound({ keyId: id })),
      cached: () => undefined,
      forget: () => undefined
    }),
    Layer.mock(KeyList, {
      live: () => Effect.succeed([laptop]),
      page: () => Effect.succeed([laptop, { ...laptop, name: "old", revokedAt: ada.createdAt }])
    }),
    Layer.mock(Adjustments, { adjust: adjust(seen) }),
    Layer.mock(Orders, {}),
    Layer.mock(OrderSearch, {
      list: (filter) => Effect.succeed(filter.user === "7" ? [{ email: ada.email, order: topup }] : [])
    }),
    Layer.mock(ModelAdmin, { list: () => Effect.succeed([soldModel]) }),
    Layer.mock(PlanAdmin, { list: () => Effect.succeed([]) }),
    Layer.mock(Redemptions, {
      redeem: ({ userId }, code) =>
        Redacted.value(code) === "GIFT-1" && userId === ada.id
          ? Effect.succeed({ codeId: 1n, gift: { kind: "balance", usdMicros: 5_000_000n } })
          : Effect.fail(new CodeUnknown())
    }),
    Layer.mock(Checkout, {}),
    Layer.mock(Reconciliation, {}),
    Layer.mock(Statements, {}),
    Layer.mock(BillCheck, {}),
    Layer.mock(Exports, {}),
    Layer.mock(SecretBox, { source: "nowhere", keyIds: Effect.succeed([]), renew: Effect.succeed(false) }),
    NoDatabase
  )

/** Tested by themselves. */
const channels = Layer.mergeAll(Layer.mock(ChannelAdmin, {}), Layer.mock(ChannelTest, {}))

const mustNotStart = Effect.die(new Error("must not be started"))

/** Runs a command line; `services` may be told not to start. */
export const run = (args: ReadonlyArray<string>, options: { readonly stdin?: string; readonly bare?: boolean } = {}) =>
  Effect.gen(function*() {
    const seen = new Seen()
    const cli = makeCli({
      config: AppConfig.layerOf(testConfig()),
      channels,
      services: options.bare ? Layer.unwrap(Effect.as(mustNotStart, servicesOf(seen))) : servicesOf(seen),
      serve: () => mustNotStart,
      migrate: Effect.fail(new MigrationError({ message: "Migration 0002_more failed" })),
      demo: Effect.map(DemoOptions, ({ port }) => void seen.demoPorts.push(port))
    })
    const exit = yield* Effect.exit(runCli(cli, { version: "1.2.3", args })).pipe(
      Effect.provide(Stdio.layerTest({ stdin: Stream.make(new TextEncoder().encode(options.stdin ?? "")) }))
    )
    const failure = Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit)
    const lines = (values: ReadonlyArray<unknown>) => values.map(String).join("\n")
    const out = lines(yield* TestConsole.logLines)
    const err = lines(yield* TestConsole.errorLines)
    return { code: failure?.exitCode ?? 0, out, err, seen }
  }).pipe(Effect.provide(Layer.merge(Layer.fresh(TestConsole.layer), NodeServices.layer)))
