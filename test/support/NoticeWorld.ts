/**
 * What notices are sent with, on a database of its own: a mail server and a receiver of webhooks around it, users, and rounds of the
 * sender that a test asks for. A second sender over the same database is another server.
 */
import { Context, Effect, Layer, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { lookup as dnsLookup } from "node:dns"
import { createServer as createHttps } from "node:https"
import type { LookupFunction } from "node:net"
import type { IncomingHttpHeaders } from "node:http"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { HostLookup } from "../../src/config/OutboundUrl.ts"
import { PublicHostLookup } from "../../src/config/PublicLookup.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { Mailer } from "../../src/notices/Mailer.ts"
import { NoticePreferences } from "../../src/notices/NoticePreferences.ts"
import { NoticeSender } from "../../src/notices/NoticeSender.ts"
import type { noticeData, NoticeKind } from "../../src/notices/NoticeKinds.ts"
import { writeNotice } from "../../src/notices/Notices.ts"
import { WebhookClient } from "../../src/notices/WebhookClient.ts"
import { WebhookEndpoints } from "../../src/notices/WebhookEndpoints.ts"
import { PublicAddress } from "../../src/platform/PublicAddress.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { oneRowOf } from "../../src/postgres/Rows.ts"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { memorySettings } from "./MemoryServices.ts"
import { makeSmtpReceiver } from "./SmtpReceiver.ts"
import { testCertificate, testKey, trustTestCertificate } from "./TestCertificate.ts"
import { makeDatabase } from "./TestDatabase.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"

export interface ReceivedHook {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One name of a public site that lies in a private network. */
const lookup: LookupFunction = (hostname, options, callback) =>
  hostname === "internal.example"
    ? callback(null, options.all === true ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4)
    : dnsLookup(hostname, options, callback)

const HANGING_PATH = "/hanging"

/** A receiver of webhooks by https on this machine. What it answers can be changed; at one path it never answers. */
const makeHookReceiver = Effect.gen(function*() {
  const hooks: Array<ReceivedHook> = []
  const answer: { status: number; location?: string; body?: string } = { status: 204 }
  const server = createHttps({ key: testKey, cert: testCertificate }, (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      hooks.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") })
      if (request.url === HANGING_PATH) return
      response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location })
      response.end(answer.body)
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const origin = `https://localhost:${port}`
  return { origin, url: `${origin}/hook`, hangingUrl: `${origin}${HANGING_PATH}`, hooks, answer }
})

const MadeUser = Row({ id: UserId })

const start = Effect.gen(function*() {
  yield* trustTestCertificate
  const smtp = yield* makeSmtpReceiver({ isPlain: true })
  const receiver = yield* makeHookReceiver
  const url = yield* makeDatabase()

  /** A server of its own. `document`: what its configuration has. */
  const server = (document: object) => {
    const config = testConfig({
      server: { public_url: "https://realms.example", link_local_hosts_allowed: ["localhost"] },
      ...document
    }, { REALMS_MASTER_KEY: "0123456789abcdef0123456789abcdef" })
    const database = Layer.fresh(SqlLayer).pipe(Layer.provideMerge(Database.layerOf(Redacted.make(url))))
    return Layer.build(
      Layer.mergeAll(NoticeSender.layer, NoticePreferences.layer).pipe(
        Layer.provideMerge(Layer.mergeAll(Mailer.layer, WebhookEndpoints.layer)),
        Layer.provideMerge(WebhookClient.layer),
        Layer.provideMerge(Layer.mergeAll(memorySettings(config), PublicAddress.layer, SecretBox.layer)),
        Layer.provideMerge(database),
        Layer.provide(Layer.mergeAll(
          AppConfig.layerOf(config),
          NodeServices.layer,
          Layer.succeed(HostLookup, lookup),
          Layer.succeed(PublicHostLookup, lookup)
        ))
      )
    ).pipe(
      Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe()),
      Effect.map((context) => ({
        ...Context.get(context, NoticeSender),
        endpoints: Context.get(context, WebhookEndpoints),
        preferences: Context.get(context, NoticePreferences),
        client: Context.get(context, WebhookClient),
        sql: Context.get(context, SqlClient.SqlClient)
      }))
    )
  }
  const main = yield* server({ smtp: smtp.document })
  const { sql } = main

  const user = (
    options: { readonly language?: "en" | "zh"; readonly role?: "user" | "root"; readonly isVerified?: boolean } = {}
  ) =>
    Effect.gen(function*() {
      const email = `${randomUUID()}@example.com`
      const { id } = yield* oneRowOf(
        MadeUser,
        sql`INSERT INTO users (email, role, language, email_verified_at)
          VALUES (${email}, ${options.role ?? "user"}, ${options.language ?? null},
            CASE WHEN ${options.isVerified ?? options.role !== "root"}::boolean THEN now() END)
          RETURNING id`
      )
      yield* sql`INSERT INTO user_balances (user_id) VALUES (${id})`
      return { id, email }
    })

  return {
    ...main,
    server,
    smtp,
    receiver,
    user,
    tell: <K extends NoticeKind>(
      kind: K,
      userId: UserId | null,
      data: (typeof noticeData)[K]["Encoded"],
      key: string = randomUUID()
    ) => writeNotice(sql, { key, kind, userId, data }),
    /** The waits of retries are over. */
    passTime: sql`UPDATE notice_deliveries SET next_attempt_at = now() WHERE state = 'waiting'`
  }
})

export class NoticeWorld
  extends Context.Service<NoticeWorld, Effect.Success<typeof start>>()("realms/test/support/NoticeWorld")
{
  static readonly layer = Layer.effect(NoticeWorld, Effect.orDie(start)).pipe(
    Layer.merge(Layer.succeed(References.MinimumLogLevel, "None"))
  )
}
