/**
 * Accounts once mail works, over HTTP and a real SMTP server: registering, a forgotten password, a verified and a changed address. What is
 * answered tells nobody whether an address has an account; what is mailed works once, for whom it was meant.
 */
import { afterAll, assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Redacted, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { loggedPath } from "../../../src/http/AccessLog.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { makeSmtpReceiver } from "../../support/SmtpReceiver.ts"
import { until } from "../../support/Until.ts"

const NEXT = "another horse battery"

/** As long as this file's tests. */
const scope = Effect.runSync(Scope.make())
const smtp = await Effect.runPromise(Effect.provideService(makeSmtpReceiver({ isPlain: true }), Scope.Scope, scope))
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const makeEmail = () => `${randomUUID()}@company.example`

/** The last mail to an address, when there are so many. */
/** Notices say where they can be turned off; the others were asked for. */
const mailsTo = (email: string, are: "asked for" | "notices") =>
  smtp.to(email).filter(({ text }) => text.includes("/notifications") === (are === "notices"))

const mailTo = (email: string, count = 1, are: "asked for" | "notices" = "asked for") =>
  Effect.map(
    until(`${count} mails to ${email} are there: ${are}`, () => mailsTo(email, are).length >= count),
    () => mailsTo(email, are)[count - 1] ?? assert.fail("no mail")
  )

/** The path of the link that a mail has. */
const linkIn = ({ text }: { readonly text: string }): string =>
  /https?:\/\/[^/\s]+(\/\S+\/[\w-]{43})/.exec(text)?.[1] ?? ""

/** What was answered, without what differs for each visitor. */
const plain = (text: string): string =>
  text.replaceAll(/name="csrf_token" value="[^"]+"/g, "").replaceAll(/data-options="[^"]+"/g, "")

/** A visitor from a network of their own: limits count by network. */
let networks = 0
const visitor = Effect.gen(function*() {
  const address = `10.9.${++networks >> 8}.${networks & 255}`
  const client = new ConsoleClient((yield* ConsoleWorld).origin, { headers: { "x-forwarded-for": address } })
  yield* client.get("/login")
  return client
})

describe("accounts by mail", () => {
  layer(
    ConsoleWorld.layerOf({
      server: { port: 0, trusted_proxies: ["127.0.0.1"] },
      smtp: smtp.document,
      registration: { email_domains: ["company.example", "example.com"] }
    }),
    { excludeTestServices: true }
  )((it) => {
    it.effect("are made by the reader of the mail, with their password, once", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const client = yield* visitor
        const email = makeEmail()
        const form = yield* client.get("/register")
        assert.notInclude(form.text, `name="password"`)
        const sent = yield* client.post("/register", { email: email.toUpperCase(), password: "of somebody else" })
        assert.strictEqual(sent.status, 200)
        assert.isFalse(client.cookies.has("realms_session"))
        const mail = yield* mailTo(email)
        const link = linkIn(mail)
        assert.match(link, /^\/register\//)
        const [before] = yield* Effect.orDie(world.sql`SELECT count(*) FROM users WHERE email = ${email}`)
        assert.deepStrictEqual(before, { count: 0n }, "there is no account before")
        const other = yield* visitor
        assert.include((yield* other.get(link)).text, email)
        assert.strictEqual((yield* other.post(link, { password: "short" })).status, 422)
        const done = yield* other.post(link, { password: NEXT })
        assert.strictEqual(done.headers.location, "/")
        assert.include((yield* other.get("/account")).text, "Verified")
        assert.strictEqual((yield* client.get(link)).status, 404)
        assert.strictEqual((yield* client.post(link, { password: NEXT })).status, 404)
        yield* client.get("/login")
        assert.strictEqual((yield* client.post("/login", { email, password: NEXT })).status, 303)
      }))

    it.effect("are told of to their owner alone when somebody registers again", () =>
      Effect.gen(function*() {
        const { user } = yield* asUser
        const client = yield* visitor
        const unknown = makeEmail()
        const answers = yield* Effect.forEach([user.email, unknown], (email) =>
          Effect.flatMap(client.get("/register"), () => client.post("/register", { email })))
        assert.deepStrictEqual(
          answers.map(({ status }) =>
            status
          ),
          [200, 200]
        )
        assert.strictEqual(plain(answers[0]?.text ?? "a"), plain(answers[1]?.text ?? "b"))
        const mail = yield* mailTo(user.email)
        assert.include(mail.subject, "You already have an account")
        assert.strictEqual(linkIn(mail), "", "no link that opens anything")
        assert.match(linkIn(yield* mailTo(unknown)), /^\/register\//)
      }))

    it.effect("are refused openly for what says nothing of others", () =>
      Effect.gen(function*() {
        const client = yield* visitor
        for (const email of ["nobody", "ada@evil.example"]) {
          yield* client.get("/register")
          assert.strictEqual((yield* client.post("/register", { email })).status, 422, email)
        }
      }))

    it.effect("of two who complete one registration are made once", () =>
      Effect.gen(function*() {
        const client = yield* visitor
        const email = makeEmail()
        yield* client.get("/register")
        yield* client.post("/register", { email })
        yield* client.get("/register")
        yield* client.post("/register", { email })
        const links = [linkIn(yield* mailTo(email, 1)), linkIn(yield* mailTo(email, 2))]
        const answers = yield* Effect.forEach([links[0], links[0], links[1]], (link = "") =>
          Effect.gen(function*() {
            const one = yield* visitor
            yield* one.get(link)
            return (yield* one.post(link, { password: NEXT })).status
          }), { concurrency: 3 })
        assert.strictEqual(answers.filter((status) => status === 303).length, 1, answers.join())
        assert.isTrue(answers.every((status) => status === 303 || status === 404 || status === 403), answers.join())
      }))

    it.effect("get a new password by mail, and nobody learns whether there is one", () =>
      Effect.gen(function*() {
        const { client: signedIn, user, world } = yield* asUser
        const client = yield* visitor
        assert.include((yield* client.get("/login")).text, `href="/forgot"`)
        const answers = yield* Effect.forEach([makeEmail(), user.email], (email) =>
          Effect.flatMap(client.get("/forgot"), () => client.post("/forgot", { email })))
        assert.strictEqual(plain(answers[0]?.text ?? "a"), plain(answers[1]?.text ?? "b"))
        const link = linkIn(yield* mailTo(user.email))
        assert.match(link, /^\/reset\//)
        yield* client.get(link)
        assert.strictEqual((yield* client.post(link, { password: NEXT })).status, 200)
        assert.strictEqual((yield* signedIn.get("/account")).status, 303, "sessions have ended")
        assert.strictEqual((yield* client.get(link)).status, 404)
        yield* client.get("/login")
        assert.strictEqual((yield* client.post("/login", { email: user.email, password: world.password })).status, 422)
        assert.strictEqual((yield* client.post("/login", { email: user.email, password: NEXT })).status, 303)
        assert.include((yield* client.get("/account")).text, "Verified")
        assert.strictEqual(
          smtp.mails.filter(({ text }) =>
            text.includes("/reset/")
          ).length,
          1
        )
      }))

    it.effect("go to the owner of the mailbox whole, where somebody else had made the account before", () =>
      Effect.gen(function*() {
        const { user, world } = yield* asUser
        const made = yield* world.keys.create({ userId: user.id, name: "theirs" })
        yield* world
          .sql`INSERT INTO identities (user_id, issuer, subject) VALUES (${user.id}, 'https://elsewhere.example', 'eve')`
        const reset = Effect.fnUntraced(function*(count: number) {
          const client = yield* visitor
          yield* client.get("/forgot")
          yield* client.post("/forgot", { email: user.email })
          const link = linkIn(yield* mailTo(user.email, count))
          yield* client.get(link)
          assert.strictEqual((yield* client.post(link, { password: NEXT })).status, 200)
        })
        yield* reset(1)
        assert.strictEqual(
          (yield* Effect.flip(world.keys.authenticate(Redacted.value(made.key))))._tag,
          "InvalidApiKey"
        )
        assert.deepStrictEqual(yield* world.sql`SELECT FROM identities WHERE user_id = ${user.id}`, [])
        // From then on the account is theirs: what they make stays.
        const own = yield* world.keys.create({ userId: user.id, name: "own" })
        yield* reset(2)
        assert.strictEqual((yield* world.keys.authenticate(Redacted.value(own.key))).keyId, own.id)
      }))

    it.effect("keep links of an administrator when somebody asks for another one, and lose them to no disabled user", () =>
      Effect.gen(function*() {
        const { user, world } = yield* asUser
        const root = yield* world.root
        const admin = yield* world.signedIn(root.id)
        yield* admin.get(`/admin/users/${user.id}`)
        const made = yield* admin.post(`/admin/users/${user.id}/password-link`, {})
        const path = /\/reset\/[\w-]{43}/.exec(made.text)?.[0] ?? ""
        const client = yield* visitor
        yield* client.get("/forgot")
        yield* client.post("/forgot", { email: user.email })
        const mailed = linkIn(yield* mailTo(user.email))
        assert.strictEqual((yield* client.get(path)).status, 200)
        yield* admin.get(`/admin/users/${user.id}`)
        yield* admin.post(`/admin/users/${user.id}/disable`, {})
        assert.deepStrictEqual([(yield* client.get(path)).status, (yield* client.get(mailed)).status], [404, 404])
        const before = smtp.to(user.email).length
        yield* client.get("/forgot")
        yield* client.post("/forgot", { email: user.email })
        const other = makeEmail()
        yield* client.get("/register")
        yield* client.post("/register", { email: other })
        yield* mailTo(other)
        assert.strictEqual(smtp.to(user.email).length, before, "nothing to the disabled user")
      }))

    it.effect("are verified by the one who is signed in, not by a click of somebody else", () =>
      Effect.gen(function*() {
        const ada = yield* asUser
        const eve = yield* asUser
        assert.include((yield* ada.client.get("/account")).text, "Not verified")
        yield* ada.client.post("/account/email/verify", {})
        const link = linkIn(yield* mailTo(ada.user.email))
        assert.match(link, /^\/account\/email\/verify\//)
        assert.strictEqual((yield* (yield* visitor).get(link)).status, 303, "to sign in")
        yield* eve.client.get(link)
        assert.strictEqual((yield* eve.client.post(link, {})).status, 404)
        yield* ada.client.get(link)
        assert.include((yield* ada.client.get("/account")).text, "Not verified", "opening it is not enough")
        yield* ada.client.get(link)
        assert.strictEqual((yield* ada.client.post(link, {})).headers.location, "/account?done=verified")
        assert.notInclude((yield* ada.client.get("/account")).text, "Not verified")
        assert.include((yield* eve.client.get("/account")).text, "Not verified")
        yield* ada.client.get(link)
        assert.strictEqual((yield* ada.client.post(link, {})).status, 404, "once")
      }))

    it.effect("change their address with the password, confirmed at the new one and told to the old one", () =>
      Effect.gen(function*() {
        const { client, user, world } = yield* asUser
        const stranger = yield* asUser
        const elsewhere = yield* world.signedIn(user.id)
        const email = makeEmail()
        yield* client.get("/account/email")
        const wrong = yield* client.post("/account/email", { email, password: "wrong password" })
        assert.strictEqual(wrong.status, 422)
        const asked = yield* client.post("/account/email", { email, password: world.password })
        assert.strictEqual(asked.status, 200)
        const link = linkIn(yield* mailTo(email))
        assert.match(link, /^\/account\/email\/change\//)
        assert.strictEqual((yield* stranger.client.get(link)).status, 404)
        assert.strictEqual((yield* stranger.client.post(link, {})).status, 404)
        assert.include((yield* client.get(link)).text, email)
        assert.include((yield* client.get("/account")).text, user.email)
        yield* client.get(link)
        assert.strictEqual((yield* client.post(link, {})).headers.location, "/account?done=email")
        assert.include((yield* client.get("/account")).text, email)
        assert.strictEqual((yield* elsewhere.get("/account")).status, 303)
        const told = yield* mailTo(user.email, 1, "notices")
        assert.include(told.subject, `Your e-mail address was changed to ${email}`)
        assert.include(told.text, "The old address no longer signs in")
        const notice = yield* mailTo(email, 1, "notices")
        assert.include(notice.subject, `Your e-mail address was changed to ${email}`)
        assert.match(notice.text, /from 127\.0\.0\.1\. If it was you/)
        assert.strictEqual((yield* client.post(link, {})).status, 404)
        const one = yield* visitor
        assert.strictEqual((yield* one.post("/login", { email, password: world.password })).status, 303)
      }))

    it.effect("do not lose their account untold: the old address has its mail with the change, and all that was for it", () =>
      Effect.gen(function*() {
        const { client, user, world } = yield* asUser
        const email = makeEmail()
        smtp.refuse({ at: "recipient", code: 450, message: "mailbox busy", to: user.email })
        yield* client.get("/account/email")
        yield* client.post("/account/email", { email, password: world.password })
        const link = linkIn(yield* mailTo(email))
        yield* client.get(link)
        // The address of an account whose owner never confirmed it is told of its loss as well.
        yield* Effect.orDie(world.sql`UPDATE users SET email_verified_at = NULL WHERE id = ${user.id}`)
        assert.strictEqual((yield* client.post(link, {})).headers.location, "/account?done=email")
        const queued = Effect.orDie(
          world.sql`SELECT d.mail_to FROM notice_deliveries d JOIN notices n ON n.id = d.notice_id
          WHERE d.user_id = ${user.id} AND n.kind = 'account_changed' AND d.channel = 'mail' ORDER BY d.id`
        )
        assert.deepInclude(yield* queued, { mail_to: user.email }, "there as soon as the address is changed")
        yield* mailTo(email, 1, "notices")
        smtp.accept()
        const tryAgain = Effect.orDie(world.sql`UPDATE notice_deliveries SET next_attempt_at = now()
          WHERE user_id = ${user.id} AND state = 'waiting' AND problem <> ''`)
        yield* until(
          "the owner has been told",
          Effect.map(tryAgain, () => mailsTo(user.email, "notices").length > 0)
        )
        assert.deepStrictEqual(yield* queued, [{ mail_to: user.email }, { mail_to: email }])
      }))

    it.effect("do not change to an address that is somebody's, and do not say so", () =>
      Effect.gen(function*() {
        const { client, world } = yield* asUser
        const owner = yield* asUser
        const free = makeEmail()
        const answers = yield* Effect.forEach([owner.user.email, free], (email) =>
          Effect.flatMap(
            client.get("/account/email"),
            () =>
              Effect.map(
                client.post("/account/email", { email, password: world.password }),
                ({ status, text }) => `${status} ${plain(text).replaceAll(email, "")}`
              )
          ))
        assert.strictEqual(answers[0], answers[1])
        assert.include((yield* mailTo(owner.user.email)).subject, "You already have an account")
        // Taken by somebody else in the meantime.
        const link = linkIn(yield* mailTo(free))
        yield* Effect.orDie(world.sql`UPDATE users SET email = ${free} WHERE id = ${owner.user.id}`)
        yield* client.get(link)
        assert.strictEqual((yield* client.post(link, {})).status, 404)
      }))

    it.effect("fill nobody's mailbox", () =>
      Effect.gen(function*() {
        const email = makeEmail()
        const statuses: Array<number> = []
        for (let at = 0; at < 12; at++) {
          const client = yield* visitor
          yield* client.get("/register")
          statuses.push((yield* client.post("/register", { email })).status)
        }
        assert.deepStrictEqual(statuses.slice(-2), [429, 429])
        const client = yield* visitor
        yield* client.get("/forgot")
        assert.strictEqual((yield* client.post("/forgot", { email })).status, 429, "one limit for all that is mailed")
      }))

    it.effect("send no mails to many strangers", () =>
      Effect.gen(function*() {
        const { client, world } = yield* asUser
        yield* client.get("/account/email")
        const statuses: Array<number> = []
        for (let at = 0; at < 11; at++) {
          const change = { email: makeEmail(), password: world.password }
          statuses.push((yield* client.post("/account/email", change)).status)
        }
        assert.deepStrictEqual(statuses.slice(-2), [200, 429])
      }))

    it.effect("answer the same while the mail server is away", () =>
      Effect.gen(function*() {
        smtp.refuse({ at: "connect", code: 421, message: "busy" })
        const client = yield* visitor
        yield* client.get("/register")
        assert.strictEqual((yield* client.post("/register", { email: makeEmail() })).status, 200)
        smtp.accept()
      }))

    it.effect("have links that no log has", () =>
      Effect.sync(() => {
        const token = "x".repeat(43)
        for (const path of ["/register", "/reset", "/invite", "/account/email/verify", "/account/email/change"]) {
          assert.notInclude(loggedPath(`${path}/${token}`), token)
        }
      }))
  })
})
