/**
 * What tests of pages stand on: the whole server with the demo's models and plans, over a database of its own, with a simulated
 * upstream and simulated payment providers around it.
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { acquireEpay } from "../../simulators/epay/EpaySimulator.ts"
import { acquireStripe } from "../../simulators/stripe/StripeSimulator.ts"
import { acquireUpstream } from "../../simulators/upstream/UpstreamSimulator.ts"
import { Adjustments } from "../../src/accounts/Adjustments.ts"
import { demoDocument } from "../../src/cli/DemoConfig.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { paymentAudit } from "../../src/events/PaymentAudit.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { hashPassword } from "../../src/identity/Passwords.ts"
import { SetupLinks } from "../../src/identity/SetupLinks.ts"
import { Users } from "../../src/identity/Users.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { redemptionAudit } from "../../src/redemption/RedemptionAudit.ts"
import { ConsoleClient } from "./ConsoleClient.ts"
import { openSession } from "./OpenSession.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { problemsIn } from "./TestAccounts.ts"
import { makeDatabase } from "./TestDatabase.ts"
import { startServer } from "./TestServer.ts"

const PASSWORD = "correct horse battery"

/** A hash takes its time, and is made once for everybody in this process. */
const passwordHash = Effect.runSync(Effect.cached(hashPassword(Redacted.make(PASSWORD))))

const start = Effect.fnUntraced(function*(more: object, observing: Layer.Layer<never> | undefined) {
  const apiKey = "sk-simulated"
  const upstream = yield* acquireUpstream({ apiKey, record: false })
  const stripe = yield* acquireStripe()
  const epay = yield* acquireEpay()
  const url = yield* makeDatabase()
  const document = demoDocument({
    folder: yield* scratchFolder,
    port: 0,
    upstream: { baseUrl: upstream.baseUrl, apiKey },
    providers: { stripe, epay }
  })
  const { origin, services: context, sql } = yield* startServer(
    { ...document, database: { url }, log: { level: "none" }, ...more },
    observing
  )
  stripe.setWebhookUrl(`${origin}/api/pay/stripe/webhook`)
  const users = Context.get(context, Users)
  const adjustments = Context.get(context, Adjustments)

  /** By the command line. */
  const adjust = (userId: UserId, amountMicros: bigint, note: string) =>
    Effect.orDie(adjustments.adjust(cliActor, { userId, amountMicros, note, key: randomUUID() }))

  /** Somebody with the password of all of them. */
  const person = Effect.fnUntraced(function*(role: "user" | "root", domain: string) {
    const made = yield* users.create({ email: `${randomUUID()}@${domain}`, role })
    yield* sql`UPDATE users SET password_hash = ${yield* passwordHash} WHERE id = ${made.id}`
    return made
  })

  /** A user with money, as many micros as are given. */
  const user = Effect.fnUntraced(function*(usdMicros: bigint) {
    const made = yield* person("user", "example.com")
    if (usdMicros > 0n) yield* adjust(made.id, usdMicros, "test")
    return made
  }, Effect.orDie)

  /** The same with a key for calls. */
  const keyed = Effect.fnUntraced(function*(usdMicros: bigint, name: string) {
    const made = yield* user(usdMicros)
    return { user: made, ...yield* Effect.orDie(Context.get(context, ApiKeys).create({ userId: made.id, name })) }
  })

  /** A session's token, as the browser's cookie has it. */
  const session = (userId: UserId) => Effect.map(openSession(sql, userId), Redacted.value).pipe(Effect.orDie)

  const root = Effect.suspend(() => person("root", "root.example.com")).pipe(Effect.orDie)

  return {
    origin,
    /** What upstreams are called at. */
    upstream: upstream.baseUrl,
    sql,
    stripe,
    epay,
    password: PASSWORD,
    user,
    keyed,
    adjust,
    /** Another administrator at each time. */
    root,
    session,
    /** As if all who are signed in had done so more than ten minutes ago. */
    ageSessions: Effect.orDie(sql`UPDATE sessions SET created_at = created_at - interval '11 minutes'`),
    /** Somebody who is logged in. */
    signedIn: (userId: UserId) => Effect.map(session(userId), (token) => new ConsoleClient(origin, { session: token })),
    /** The token of a new link for the first administrator. */
    setupLink: Effect.flatMap(Context.get(context, SetupLinks).issue, Effect.fromOption).pipe(Effect.orDie),
    orders: Context.get(context, Orders),
    keys: Context.get(context, ApiKeys),
    problems: problemsIn(sql, [paymentAudit, redemptionAudit])
  }
})

export class ConsoleWorld
  extends Context.Service<ConsoleWorld, Effect.Success<ReturnType<typeof start>>>()("realms/test/support/ConsoleWorld")
{
  /** `more`: what a test's configuration has besides the demo's. `observing`: hears the server's logs and spans in place of its own. */
  static readonly layerOf = (more: object = {}, observing?: Layer.Layer<never>) =>
    Layer.effect(ConsoleWorld, Effect.orDie(start(more, observing)))
}

/** As the file of a fresh installation is, with no key in the environment. */
export const keyless = {
  channels: [{
    name: "openai",
    base_url: "https://api.openai.com/v1",
    api_key: "",
    models: { "gpt-4o-mini": "gpt-4o-mini" }
  }]
}

/** A new administrator who is logged in. */
export const signedInRoot = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const root = yield* world.root
  return { world, root, client: yield* world.signedIn(root.id) }
})

/** A new user without money, who is logged in. */
export const asUser = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const user = yield* world.user(0n)
  return { world, user, client: yield* world.signedIn(user.id) }
})
