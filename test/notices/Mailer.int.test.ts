/**
 * Mail, handed over to a real SMTP server: in the clear, by STARTTLS and by TLS, with credentials and without, and what becomes of it
 * where the server refuses, is away, hangs, is somebody else, or must not be called.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { type Mail, Mailer } from "../../src/notices/Mailer.ts"
import { freePort } from "../support/FreePort.ts"
import { memorySettings } from "../support/MemoryServices.ts"
import { makeSmtpReceiver } from "../support/SmtpReceiver.ts"
import { trustTestCertificate } from "../support/TestCertificate.ts"
import { until } from "../support/Until.ts"

const mail: Mail = { to: "ada@example.com", subject: "Hello", text: "One.\n\nTwo." }

/** Does something with the mailer of these settings. */
const withMailer = <A, E, R>(smtp: object, use: (mailer: Mailer["Service"]) => Effect.Effect<A, E, R>) => {
  const config = testConfig({ smtp, site: { name: "Realms, the gateway" } })
  return Effect.flatMap(Mailer, use).pipe(
    Effect.provide(
      Layer.fresh(Mailer.layer).pipe(Layer.provide(memorySettings(config)), Layer.provide(AppConfig.layerOf(config)))
    )
  )
}

const sendBy = (smtp: object, sent: Mail = mail) => withMailer(smtp, (mailer) => mailer.send(sent))

describe("mailer", () => {
  it.live("is off until a server is set", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* withMailer({}, ({ configured }) => configured))
      assert.strictEqual((yield* Effect.flip(sendBy({})))._tag, "MailNotConfigured")
      const set = { host: "127.0.0.1", from: "no-reply@realms.example" }
      assert.isTrue(yield* withMailer(set, ({ configured }) => configured))
    }))

  it.live("hands a mail over as it is, in any language", () =>
    Effect.gen(function*() {
      const server = yield* makeSmtpReceiver({ isPlain: true })
      yield* sendBy(server.document, {
        to: "ada@example.com",
        subject: "余额不足\r\nBcc: eve@example.com",
        text: "您的余额为 $1.50。\n.\nQUIT",
        html: "<p>您的余额</p>",
        messageId: "notice-1@realms.example"
      })
      const [taken] = server.mails
      assert.strictEqual(server.mails.length, 1)
      assert.strictEqual(taken?.from, "no-reply@realms.example")
      assert.deepStrictEqual(taken?.to, ["ada@example.com"])
      assert.strictEqual(taken?.subject, "余额不足 Bcc: eve@example.com")
      assert.strictEqual(taken?.text, "您的余额为 $1.50。\n.\nQUIT")
      assert.strictEqual(taken?.html, "<p>您的余额</p>")
      assert.strictEqual(taken?.headers.get("message-id"), "<notice-1@realms.example>")
      assert.include(taken?.headers.get("from") ?? "", "Realms, the gateway")
      assert.strictEqual(taken?.headers.get("auto-submitted"), "auto-generated")
      assert.isFalse(taken?.headers.has("bcc"))
    }).pipe(Effect.scoped))

  for (const mode of ["starttls", "tls"] as const) {
    it.live(`logs in by ${mode}, to a server that proves who it is`, () =>
      Effect.gen(function*() {
        yield* trustTestCertificate
        const credentials = { user: "realms", password: "a secret" }
        const server = yield* makeSmtpReceiver({ tls: mode === "tls", credentials })
        yield* sendBy(server.document)
        assert.isTrue(server.mails[0]?.isSecure)
        assert.strictEqual(server.mails[0]?.user, "realms")
        const wrong = yield* Effect.flip(sendBy({ ...server.document, password: "another" }))
        assert.strictEqual(wrong._tag, "MailUnavailable")
        assert.include(wrong.message, "credentials invalid")
        assert.notInclude(wrong.message, "another")
      }).pipe(Effect.scoped))

    it.live(`sends nothing by ${mode} to a server that cannot prove who it is`, () =>
      Effect.gen(function*() {
        const credentials = { user: "realms", password: "a secret" }
        const server = yield* makeSmtpReceiver({ tls: mode === "tls", credentials })
        assert.strictEqual((yield* Effect.flip(sendBy(server.document)))._tag, "MailUnavailable")
        assert.strictEqual(server.mails.length, 0)
      }).pipe(Effect.scoped))
  }

  it.live("sends nothing in the clear where STARTTLS is asked for and not offered", () =>
    Effect.gen(function*() {
      const server = yield* makeSmtpReceiver({ isPlain: true })
      const error = yield* Effect.flip(sendBy({ ...server.document, security: "starttls" }))
      assert.strictEqual(error._tag, "MailUnavailable")
      assert.strictEqual(server.mails.length, 0)
    }).pipe(Effect.scoped))

  it.live("tells a refusal for good from one that may pass, and a refused mail from wrong settings", () =>
    Effect.gen(function*() {
      const server = yield* makeSmtpReceiver({ isPlain: true })
      const table = [
        ["recipient", 550, "MailRefused"],
        ["recipient", 451, "MailUnavailable"],
        ["data", 554, "MailRefused"],
        ["data", 452, "MailUnavailable"],
        ["from", 550, "MailUnavailable"],
        ["connect", 554, "MailUnavailable"]
      ] as const
      for (const [at, code, tag] of table) {
        server.accept()
        server.refuse({ at, code, message: `not at ${at}` })
        const error = yield* Effect.flip(sendBy(server.document))
        assert.strictEqual(error._tag, tag, `${at} ${code}`)
        assert.include(error.message, `not at ${at}`)
      }
      server.accept()
      yield* sendBy(server.document)
      assert.strictEqual(server.mails.length, 1)
    }).pipe(Effect.scoped))

  it.live("says that a server is away", () =>
    Effect.gen(function*() {
      const away = { host: "127.0.0.1", port: yield* freePort, security: "none", from: "a@realms.example" }
      assert.strictEqual((yield* Effect.flip(sendBy(away)))._tag, "MailUnavailable")
    }))

  it.effect("gives up on a server that hangs, and hangs up", () =>
    Effect.gen(function*() {
      const server = yield* makeSmtpReceiver({ isPlain: true })
      server.hang()
      const sending = yield* Effect.forkChild(Effect.flip(sendBy(server.document)))
      yield* TestClock.withLive(until("there is a connection", () => server.connections() === 1))
      yield* TestClock.adjust("31 seconds")
      const error = yield* Fiber.join(sending)
      assert.strictEqual(error._tag, "MailUnavailable")
      assert.include(error.message, "within 30 seconds")
    }).pipe(Effect.scoped))

  it.live("does not connect to an address from which a cloud gives credentials away", () =>
    Effect.gen(function*() {
      for (const host of ["169.254.169.254", "metadata.google.internal"]) {
        const error = yield* Effect.flip(sendBy({ host, port: 25, security: "none", from: "a@realms.example" }))
        assert.strictEqual(error._tag, "MailUnavailable", host)
        assert.include(error.message, "does not call", host)
      }
    }))
})
