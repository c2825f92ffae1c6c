/**
 * `realms demo`: the whole gateway offline, in a scratch folder that is removed at the end: embedded PostgreSQL, a
 * simulated upstream, simulated payment providers, a user with a password, money, a key and an order to pay. Prints what one needs to try
 * it, and runs until it is interrupted.
 */
import { Console, Context, Effect, FileSystem, Layer, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { randomBytes, randomUUID } from "node:crypto"
import { Adjustments } from "../accounts/Adjustments.ts"
import { AppConfig, type RealmsConfig } from "../config/Config.ts"
import type { OrderId } from "../domain/Ids.ts"
import { ApiKeys } from "../identity/ApiKeys.ts"
import { Users } from "../identity/Users.ts"
import { Orders } from "../orders/Orders.ts"
import { cliActor } from "../platform/AuditLog.ts"
import { Telemetry } from "../platform/Telemetry.ts"
import { demoDocument, writeDemoConfig } from "./DemoConfig.ts"
import { loadSimulators } from "./DemoSimulators.ts"
import { dollars, print, type Printable } from "./Output.ts"

const DEMO_EMAIL = "demo@realms.local"
const ROOT_EMAIL = "root@realms.local"
const DEMO_USD_MICROS = 5_000_000n
const DEMO_TOPUP_FEN = 1_000n
const PASSWORD_BYTES = 9
const PORT_MAX = 65_535

/** What the demo is put together from: the services of the command line, and a server that lives as long as the scope. */
export interface DemoParts<E1, R1, E2, R2> {
  readonly services: Layer.Layer<Users | ApiKeys | Adjustments | Orders, E1, R1>
  readonly serveWith: (config: RealmsConfig) => Effect.Effect<{ readonly baseUrl: string }, E2, R2>
}

/** What is printed. */
export interface DemoInfo {
  readonly baseUrl: string
  /** Of the user, for the console. */
  readonly password: string
  /** Of the administrator. */
  readonly rootPassword: string
  readonly key: string
  readonly usdMicros: bigint
  readonly configPath: string
  /** A top-up that waits to be paid. */
  readonly orderId: OrderId
}

/** An administrator, and a user with money, a key, and an order to pay. */
const seed = Effect.gen(function*() {
  const password = randomBytes(PASSWORD_BYTES).toString("base64url")
  const rootPassword = randomBytes(PASSWORD_BYTES).toString("base64url")
  yield* (yield* Users).create({ email: ROOT_EMAIL, role: "root", password: Redacted.make(rootPassword) })
  const user = yield* (yield* Users).create({ email: DEMO_EMAIL, role: "user", password: Redacted.make(password) })
  const credit = { userId: user.id, amountMicros: DEMO_USD_MICROS, note: "demo credit", key: randomUUID() }
  const posted = yield* (yield* Adjustments).adjust(cliActor, credit)
  const { key } = yield* (yield* ApiKeys).create({ userId: user.id, name: "demo" })
  const order = yield* (yield* Orders).topup(user.id, DEMO_TOPUP_FEN)
  return { password, rootPassword, key: Redacted.value(key), usdMicros: posted.usdMicros, orderId: order.id }
})

/** A line for a POSIX shell that streams a chat completion through the demo. */
export const curlLine = (baseUrl: string, key: string): string =>
  `curl -N ${baseUrl}/v1/chat/completions -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' ` +
  `-d '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}'`

/** A text as one word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A line for a POSIX shell that runs a command on the demo. */
const commandLine = (configPath: string, command: string): string =>
  `REALMS_CONFIG=${quoted(configPath)} npx realms ${command}`

const balanceLine = (configPath: string): string => commandLine(configPath, `balance show --user ${DEMO_EMAIL}`)

const payLine = ({ configPath, orderId }: DemoInfo): string =>
  commandLine(configPath, `order start ${orderId} --provider stripe`)

/** What to do with the demo, for people. */
export const describeDemo = (info: DemoInfo): string =>
  [
    "Realms demo: everything is simulated, nothing leaves this machine, Ctrl+C ends it.",
    "",
    `  console    ${info.baseUrl}`,
    `  user       ${DEMO_EMAIL}`,
    `  password   ${info.password}`,
    `  root       ${ROOT_EMAIL}`,
    `  password   ${info.rootPassword}`,
    `  API base   ${info.baseUrl}/v1`,
    `  key        ${info.key}`,
    `  balance    ${dollars(info.usdMicros)}`,
    "",
    "Try a call:",
    "",
    curlLine(info.baseUrl, info.key),
    "",
    "Open the console, sign in, and see what it cost under Usage. Top up or buy a plan there: the cashiers are simulated,",
    `press Pay and watch the order. A top-up of ¥10.00 waits already: ${info.baseUrl}/pay/topup/${info.orderId}`,
    "",
    `Sign in as root for the administration: ${info.baseUrl}/admin`,
    "",
    "Commands work beside it, too:",
    "",
    payLine(info),
    balanceLine(info.configPath)
  ].join("\n")

const demoFields = (info: DemoInfo): Printable => ({
  base_url: info.baseUrl,
  email: DEMO_EMAIL,
  password: info.password,
  root_email: ROOT_EMAIL,
  root_password: info.rootPassword,
  key: info.key,
  usd_micros: info.usdMicros,
  config_path: info.configPath,
  order_id: info.orderId,
  pay: payLine(info),
  curl: curlLine(info.baseUrl, info.key)
})

/** What the command line asks of the demo. Port 0 takes any free port. */
export const DemoOptions = Context.Reference<{ readonly port: number }>("realms/cli/DemoOptions", {
  defaultValue: () => ({ port: 0 })
})

/** Starts everything, says so, and stays until it is interrupted; then the folder goes last. */
export const runDemo = <E1, R1, E2, R2>(parts: DemoParts<E1, R1, E2, R2>) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const { port } = yield* DemoOptions
    yield* Console.error(
      "starting the demo: embedded PostgreSQL, simulated upstream and payment providers, gateway ..."
    )
    const { acquireEpay, acquireStripe, acquireUpstream } = yield* loadSimulators
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "realms-demo-" })
    // As root, PostgreSQL runs as somebody else, who has to get there.
    yield* files.chmod(folder, 0o755)
    const apiKey = `sk-simulated-${randomUUID()}`
    const upstream = yield* acquireUpstream({ apiKey, record: false })
    const stripe = yield* acquireStripe()
    const epay = yield* acquireEpay()
    const options = { folder, port, upstream: { baseUrl: upstream.baseUrl, apiKey }, providers: { stripe, epay } }
    const { config } = yield* writeDemoConfig(demoDocument(options), folder)
    const { baseUrl } = yield* parts.serveWith(config)
    // Commands beside the server have to know the port that it was given.
    const { path } = yield* writeDemoConfig(demoDocument({ ...options, publicUrl: baseUrl }), folder)
    stripe.setWebhookUrl(`${baseUrl}/api/pay/stripe/webhook`)
    const seeded = yield* Effect.provide(seed, parts.services.pipe(Layer.provide(AppConfig.layerOf(config))))
    const info: DemoInfo = { baseUrl, configPath: path, ...seeded }
    yield* print(demoFields(info), describeDemo(info))
    return yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(Telemetry.layerOf({ format: "pretty", level: "Warn" })))

const port = Flag.Int("port").pipe(
  Flag.withDefault(0),
  Flag.withDescription("Port to listen on; any free one by default"),
  Flag.filter((value) => value >= 0 && value <= PORT_MAX, () => `a port from 0 to ${PORT_MAX}`)
)

export const demoCommand = <E, R>(demo: Effect.Effect<void, E, R>) =>
  Command.make("demo", { port }, (flags) => Effect.provideService(demo, DemoOptions, { port: flags.port })).pipe(
    Command.withDescription("Try everything offline, with a simulated upstream and a user that has money")
  )
