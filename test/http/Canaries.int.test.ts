/**
 * No secret gets out: a whole run of the administration with planted ones, after which every page, every answer of the API, every
 * log line and span, and every row of every table is searched for them. What is shown once on purpose is looked at apart.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Inspectable, Layer, Logger, Redacted, References, Tracer } from "effect"
import { OpenApi } from "effect/http-api"
import { randomUUID } from "node:crypto"
import type { ChannelId } from "../../src/domain/Ids.ts"
import { AdminApi } from "../../src/http/admin/AdminApi.ts"
import { ConsoleClient } from "../support/ConsoleClient.ts"
import { ConsoleWorld } from "../support/ConsoleWorld.ts"
import { send, type TestAnswer } from "../support/TestHttp.ts"
import { sourceFiles, withoutComments } from "../tidy/SourceFiles.ts"

/** Everything logged, and every span, as text. */
const said: Array<string> = []

class HeardSpan extends Tracer.NativeSpan {
  override attribute(key: string, value: unknown): void {
    said.push(`span ${this.name}: ${key}=${Inspectable.toStringUnknown(value)}`)
    super.attribute(key, value)
  }
  override event(name: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    said.push(`span ${this.name}: ${name} ${Inspectable.toStringUnknown(attributes)}`)
    super.event(name, startTime, attributes)
  }
  override end(endTime: bigint, exit: Parameters<Tracer.NativeSpan["end"]>[1]): void {
    said.push(`span ${this.name}: ${exit._tag === "Failure" ? String(exit.cause) : "ended"}`)
    super.end(endTime, exit)
  }
}

const observing = Layer.mergeAll(
  Logger.layer([
    Logger.make((options) => void said.push(Logger.formatJson.log(options))),
    Logger.make((options) => void said.push(Logger.formatSimple.log(options)))
  ]),
  Layer.succeed(References.MinimumLogLevel, "All"),
  Layer.succeed(Tracer.Tracer, Tracer.make({ span: (options) => new HeardSpan(options) }))
)

const canary = (what: string): string => `${what}-${randomUUID()}`

const planted = {
  stripe: canary("sk_test_canary"),
  webhook: canary("whsec_canary"),
  epay: canary("epay-canary"),
  smtp: canary("smtp-canary"),
  channel: canary("sk-channel-canary"),
  channelNew: canary("sk-channel-canary"),
  password: canary("Password-canary")
}

/** Pages of the administration whose address is written out whole. */
const adminPages = sourceFiles(["src/http/console/admin"], /\.tsx?$/).flatMap(({ text }) =>
  Array.from(withoutComments(text).matchAll(/\badminPage\(\s*"(\/admin[^"]*)"/g), (match) => match[1] ?? "")
)

const apiPaths = Object.entries(OpenApi.fromApi(AdminApi).paths).flatMap(([path, methods]) =>
  "get" in methods ? [path] : []
)

const filled = (path: string): string =>
  path.replaceAll(/:request_id|\{request_id\}/g, "01890000-0000-7000-8000-000000000000").replaceAll(
    /:\w+|\{\w+\}/g,
    "2"
  )

describe("secrets", () => {
  layer(ConsoleWorld.layerOf({}, observing), { timeout: 180_000 })((it) => {
    it.effect("stay where they are put", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const user = yield* world.user(5_000_000n)
        const session = yield* world.session(root.id)
        const userKey = yield* Effect.orDie(world.keys.create({ userId: user.id, name: "calls" }))
        const client = new ConsoleClient(world.origin, { session })
        const answers: Array<TestAnswer> = []
        const keep = (answer: TestAnswer) => {
          answers.push(answer)
          return answer
        }
        const get = (path: string) => Effect.map(client.get(path), keep)
        const post = (path: string, fields: Readonly<Record<string, string>>) =>
          Effect.map(client.post(path, fields), keep)
        const revision = (text: string) => /name="revision" value="([^"]+)"/.exec(text)?.[1] ?? ""

        // Settings: set, replaced, refused beside something bad, tested against providers that know other keys.
        const setting = Effect.fnUntraced(function*(section: string, fields: Readonly<Record<string, string>>) {
          const shown = yield* get("/admin/settings")
          return (yield* post("/admin/settings", {
            section,
            revision: revision(shown.text),
            password: world.password,
            ...fields
          })).status
        })
        const stripe = { "payment.stripe.secret_key": planted.stripe, "payment.stripe.webhook_secret": planted.webhook }
        assert.strictEqual(yield* setting("stripe", { ...stripe, "payment.stripe.currency": "no currency" }), 422)
        assert.strictEqual(yield* setting("stripe", stripe), 303)
        assert.strictEqual(yield* setting("epay", { "payment.epay.key": planted.epay }), 303)
        const mail = { "smtp.host": "127.0.0.1", "smtp.port": "1", "smtp.user": "realms", "smtp.security": "none" }
        const withFrom = { ...mail, "smtp.from": "a@realms.example", "smtp.password": planted.smtp }
        assert.strictEqual(yield* setting("mail", withFrom), 303)
        for (const section of ["stripe", "epay", "mail"]) yield* post("/admin/settings/test", { section })

        // A channel that refuses its key: made, tested, called, edited.
        yield* get("/admin/channels/new")
        const channel = {
          name: "canary",
          base_url: world.upstream,
          priority: "9",
          weight: "1",
          known_fields: "stream_options",
          models: "gpt-4o-mini"
        }
        assert.strictEqual((yield* post("/admin/channels", { ...channel, api_key: planted.channel })).status, 303)
        const [made] = yield* world.sql<{ id: ChannelId }>`SELECT id FROM channels WHERE name = 'canary'`
        const path = `/admin/channels/${made?.id}`
        yield* get(path)
        yield* post(`${path}/test`, { model: "gpt-4o-mini" })
        const edited = yield* get(path)
        yield* post(path, {
          ...channel,
          base_url: "ftp://x",
          api_key: planted.channelNew,
          revision: revision(edited.text)
        })
        yield* post(path, { ...channel, api_key: planted.channelNew, revision: revision(edited.text) })
        const call = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }], max_tokens: 5 }
        keep(
          yield* send(`${world.origin}/v1/chat/completions`, {
            key: Redacted.value(userKey.key),
            body: call
          })
        )

        // Signing in with a wrong password, and setting a new one.
        const visitor = new ConsoleClient(world.origin)
        keep(yield* visitor.get("/login"))
        keep(yield* visitor.post("/login", { email: user.email, password: planted.password }))

        // What is shown once: keys, links, codes. Those answers are not searched for their own secret.
        const once = (text: string, pattern: RegExp): string => pattern.exec(text)?.[0] ?? assert.fail(`no ${pattern}`)
        yield* get("/admin/keys")
        const adminKey = once(
          (yield* client.post("/admin/keys", { name: "canary", password: world.password })).text,
          /sk-admin-[\w-]{43}/
        )
        yield* get(`/admin/users/${user.id}`)
        const link = yield* client.post(`/admin/users/${user.id}/password-link`, {})
        const resetToken = once(link.text, /(?<=\/reset\/)[\w-]{43}/)

        yield* get("/admin/notices")
        const hook = { url: "http://127.0.0.1:1/hook", kinds: "disk_low" }
        const hookSecret = once((yield* client.post("/admin/notices/webhook", hook)).text, /whsec_[\w+/]{43}=/)
        yield* post("/admin/notices/webhook/test", {})

        for (const page of adminPages) yield* get(filled(page))
        for (
          const page of ["/", "/keys", "/usage", "/topup", "/orders", "/models", "/account", "/notifications"]
        ) yield* get(page)
        const byKey = { authorization: `Bearer ${adminKey}` }
        for (const api of apiPaths) {
          keep(yield* send(`${world.origin}${filled(api)}`, { method: "GET", headers: byKey }))
        }
        // A body that cannot be read is not told back.
        const apiSend = (to: string, method: string, body: unknown) =>
          Effect.map(send(`${world.origin}/api/admin${to}`, { method, body, headers: byKey }), keep)
        yield* apiSend("/settings", "PATCH", { set: { "payment.epay.key": [planted.epay] } })
        yield* apiSend("/settings", "PATCH", { set: { "payment.epay.key": planted.epay, "billing.multiplier": "x" } })
        yield* apiSend("/channels", "POST", { ...channel, api_key: [planted.channel] })

        const secrets = [
          ...Object.values(planted),
          adminKey,
          resetToken,
          hookSecret,
          session,
          Redacted.value(userKey.key),
          world.stripe.secretKey,
          world.epay.key
        ]
        const rows = yield* Effect.forEach(
          yield* world.sql<
            { name: string }
          >`SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
          ({ name }) =>
            world.sql.unsafe<{ text: string }>(`SELECT t::text AS text FROM ${name} t`).pipe(
              Effect.map((found) => found.map(({ text }) => `${name} ${text}`))
            )
        )
        const places = {
          answer: answers.map(({ headers, status, text }) => `${status} ${JSON.stringify(headers)} ${text}`),
          row: rows.flat(),
          "log or span": said
        }
        assert.isAbove(places.answer.length, 40)
        assert.isAbove(places.row.length, 20)
        assert.isTrue(said.some((line) => line.startsWith("span ")), "spans are heard")
        assert.isTrue(said.some((line) => line.startsWith("{")), "logs are heard")
        for (const [what, texts] of Object.entries(places)) {
          for (const secret of secrets) {
            // Bytes are written in hexadecimal.
            const hex = Buffer.from(secret).toString("hex")
            const found = texts.find((text) => text.includes(secret) || text.includes(hex))
            assert.isUndefined(found, `${what} has a secret: ${found?.replaceAll(secret, "<SECRET>").slice(0, 400)}`)
          }
        }
      }))
  })
})
