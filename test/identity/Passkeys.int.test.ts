/**
 * Passkeys against an authenticator in software: what is taken as one, what signs in and what does not, and that each challenge and each
 * count is good once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { PasskeyId } from "../../src/domain/Ids.ts"
import { Login } from "../../src/identity/Login.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { PasskeyLogin } from "../../src/identity/PasskeyLogin.ts"
import { Passkeys } from "../../src/identity/Passkeys.ts"
import { relyingPartyOf } from "../../src/identity/RelyingParty.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { SoftAuthenticator } from "../support/SoftAuthenticator.ts"
import {
  areLive,
  changesTold,
  count,
  identityTest,
  opened,
  outcome,
  pendingOf,
  type Person,
  person,
  proofOf,
  recordedOf,
  registered
} from "../support/TestIdentity.ts"

const ADA = "ada@example.com"
/** Of the public address of these tests. */
const PARTY = { rpId: "realms.example", origin: "https://realms.example" }
const VISITOR = "a browser's cookie"

const challengeIn = (options: string | undefined): string => JSON.parse(options ?? "{}").challenge ?? ""

/** The challenge of a form that asks for a new passkey. */
const creation = ({ userId }: Person, visitor = VISITOR) =>
  Effect.flatMap(
    Passkeys,
    (passkeys) => Effect.map(passkeys.creation({ userId, email: ADA, issuer: "Realms" }, visitor), challengeIn)
  )

const request = (purpose: "login" | "factor", who?: Person, visitor = VISITOR) =>
  Effect.flatMap(Passkeys, (passkeys) =>
    Effect.map(
      passkeys.request({ purpose, visitor, ...(who === undefined ? {} : { userId: who.userId }) }),
      challengeIn
    ))

const add = Effect.fnUntraced(function*(who: Person, device: SoftAuthenticator, code = "", isVerified = true) {
  const json = device.create({ ...PARTY, challenge: yield* creation(who), isVerified })
  return yield* (yield* Passkeys).add({ ...proofOf(who, code), name: "Laptop", created: { json, visitor: VISITOR } })
})

/** Somebody with a passkey, and recovery codes. */
const withPasskey = Effect.fnUntraced(function*(email: string) {
  const who = yield* registered(email)
  const device = new SoftAuthenticator()
  const { codes, session } = yield* add(who, device)
  return { ...who, token: session, device, codes: Redacted.value(codes ?? assert.fail("no codes")) }
})

const passkeyLogin = (json: string, visitor = VISITOR, address = "192.0.2.1") =>
  Effect.flatMap(PasskeyLogin, (login) => login.login({ answer: { json, visitor }, address, userAgent: "Test/1" }))

const answer = (pending: Redacted.Redacted<string>, json: string, visitor = VISITOR) =>
  Effect.flatMap(
    Login,
    (login) =>
      login.answer({ pending, code: "", passkey: { json, visitor }, address: "192.0.2.1", userAgent: "Test/1" })
  )

describe("the relying party", () => {
  const table = [
    ["https://realms.example", "realms.example"],
    ["https://api.realms.example:8443", "api.realms.example"],
    ["http://localhost:8080", "localhost"],
    ["http://127.0.0.1:8080", "address"],
    ["https://192.0.2.7", "address"],
    ["https://[2001:db8::1]:8443", "address"],
    ["http://realms.example", "http"]
  ] as const
  for (const [url, expected] of table) {
    it(`of ${url} is ${expected}`, () => {
      const party = relyingPartyOf(url)
      assert.strictEqual(party._tag === "Party" ? party.id : party.why, expected)
    })
  }
})

describe("Passkeys", () => {
  identityTest("sign in alone where the authenticator has known its owner", function*() {
    const { device, userId } = yield* withPasskey(ADA)
    const session = yield* passkeyLogin(device.get({ ...PARTY, challenge: yield* request("login") }))
    const found = Option.getOrThrow(yield* (yield* LoginSessions).find(session))
    assert.deepStrictEqual([found.user.id, found.secondFactor], [userId, true])
    const unverified = device.get({ ...PARTY, challenge: yield* request("login"), isVerified: false })
    assert.strictEqual(yield* outcome(passkeyLogin(unverified)), "LoginRefused")
    const list = yield* (yield* Passkeys).list(userId)
    assert.deepStrictEqual(list.map(({ name, rpId }) => [name, rpId]), [["Laptop", "realms.example"]])
    assert.isNotNull(list[0]?.lastUsedAt ?? null)
  })

  identityTest("sign in alone only once the authenticator has known its owner in the owner's presence", function*() {
    const ada = yield* registered(ADA)
    const device = new SoftAuthenticator()
    yield* add(ada, device, "", false)
    const login = Effect.flatMap(
      request("login"),
      (challenge) => outcome(passkeyLogin(device.get({ ...PARTY, challenge })))
    )
    assert.strictEqual(yield* login, "LoginRefused", "a finder of the key could have given it a PIN")
    const factor = (isVerified: boolean) =>
      Effect.gen(function*() {
        const json = device.get({ ...PARTY, challenge: yield* request("factor", ada), isVerified })
        return yield* outcome(answer(yield* pendingOf(ADA), json))
      })
    assert.strictEqual(yield* factor(false), "ok")
    assert.strictEqual(yield* login, "LoginRefused")
    assert.strictEqual(yield* factor(true), "ok")
    assert.strictEqual(yield* login, "ok")
    assert.strictEqual(yield* factor(false), "ok")
    assert.strictEqual(yield* login, "ok", "it was known once")
  })

  identityTest("answer after the password, and a code does not have to be given", function*() {
    const ada = yield* withPasskey(ADA)
    const pending = yield* pendingOf(ADA)
    const signed = ada.device.get({ ...PARTY, challenge: yield* request("factor", ada), isVerified: false })
    assert.strictEqual(yield* outcome(answer(pending, signed)), "ok")
    assert.strictEqual(yield* outcome(answer(yield* pendingOf(ADA), signed)), "SecondFactorWrong", "sent again")
  })

  identityTest("are worth nothing with another challenge, purpose, browser, origin or owner", function*() {
    const ada = yield* withPasskey(ADA)
    const eve = yield* withPasskey("eve@example.com")
    const { device } = ada
    const login = yield* request("login")
    const factor = yield* request("factor", ada)
    const tampered = `${login.slice(0, -4)}AAAA`
    const table: ReadonlyArray<readonly [what: string, json: string, visitor?: string]> = [
      ["a challenge of nobody's", device.get({ ...PARTY, challenge: Buffer.alloc(54).toString("base64url") })],
      ["no challenge", device.get({ ...PARTY, challenge: "" })],
      ["a challenge that was changed", device.get({ ...PARTY, challenge: tampered })],
      ["a challenge for something else", device.get({ ...PARTY, challenge: factor })],
      ["another browser", device.get({ ...PARTY, challenge: login }), "another cookie"],
      ["another origin", device.get({ ...PARTY, origin: "https://realms.evil", challenge: login })],
      ["another host", device.get({ ...PARTY, rpId: "evil.example", challenge: login })],
      ["another ceremony", device.get({ ...PARTY, challenge: login, type: "webauthn.create" })],
      ["an unknown passkey", new SoftAuthenticator().get({ ...PARTY, challenge: login })],
      ["no JSON", "{"],
      ["nothing", ""],
      ["something large", "x".repeat(100_000)]
    ]
    for (const [what, json, visitor] of table) {
      // Each from a place of its own: it is not the limit that refuses.
      assert.strictEqual(
        yield* outcome(passkeyLogin(json, visitor, `192.0.2.${table.findIndex(([one]) => one === what)}`)),
        "LoginRefused",
        what
      )
    }
    const pending = yield* pendingOf(ADA)
    const ofEve = eve.device.get({ ...PARTY, challenge: yield* request("factor", ada) })
    assert.strictEqual(yield* outcome(answer(pending, ofEve)), "SecondFactorWrong", "somebody else's passkey")
    const forLogin = device.get({ ...PARTY, challenge: login })
    assert.strictEqual(yield* outcome(answer(pending, forLogin)), "SecondFactorWrong")
  })

  identityTest("of many answers with one challenge open one session", function*() {
    const { device } = yield* withPasskey(ADA)
    const challenge = yield* request("login")
    const before = yield* count("sessions")
    const answers = [1, 2, 3, 4].map(() => device.get({ ...PARTY, challenge }))
    const ends = yield* Effect.forEach(answers, (json) => outcome(passkeyLogin(json)), { concurrency: 4 })
    assert.strictEqual(ends.filter((end) => end === "ok").length, 1)
    assert.strictEqual(yield* count("sessions"), before + 1)
  })

  identityTest("are refused when their count does not go up, and taken when they do not count", function*(world) {
    const { device } = yield* withPasskey(ADA)
    const login = (of: number) =>
      Effect.flatMap(
        request("login"),
        (challenge) => outcome(passkeyLogin(device.get({ ...PARTY, challenge, count: of })))
      )
    assert.strictEqual(yield* login(0), "ok")
    assert.strictEqual(yield* login(0), "ok", "it does not count")
    assert.strictEqual(yield* login(7), "ok")
    for (const copied of [7, 6, 0]) assert.strictEqual(yield* login(copied), "LoginRefused")
    assert.strictEqual(yield* login(8), "ok")
    assert.strictEqual(world.logged.filter((line) => line.includes("there may be a copy of it")).length, 3)
  })

  identityTest("are added with the password, and a code where there is a second factor already", function*() {
    const ada = yield* withPasskey(ADA)
    const other = new SoftAuthenticator()
    const created = { json: other.create({ ...PARTY, challenge: yield* creation(ada) }), visitor: VISITOR }
    const passkeys = yield* Passkeys
    const adding = (more: object) => outcome(passkeys.add({ ...proofOf(ada), name: "Key", created, ...more }))
    assert.strictEqual(yield* adding({ password: Redacted.make("wrong password") }), "WrongPassword")
    assert.strictEqual(yield* adding({}), "SecondFactorWrong", "a code is needed")
    assert.strictEqual(yield* adding({ name: " " }), "PasskeyRefused")
    assert.strictEqual(yield* adding({ created: { ...created, visitor: "another" } }), "SecondFactorWrong")
    const open = yield* opened(ada.userId)
    const { session } = yield* passkeys.add({ ...proofOf(ada, ada.codes[0]), name: "Key", created })
    assert.deepStrictEqual(yield* areLive(session, ada.token, open), [true, false, false])
    assert.strictEqual(yield* adding({ code: ada.codes[1] }), "SecondFactorWrong", "the same form again")
    assert.strictEqual(yield* outcome(add(ada, other, ada.codes[2])), "PasskeyRefused", "it is known")
    assert.strictEqual(
      (yield* (yield* SecondFactors).view(ada.userId)).recoveryCodes,
      9,
      "what was refused used none up"
    )
    const eve = yield* registered("eve@example.com")
    assert.strictEqual(yield* outcome(add(eve, other)), "PasskeyRefused", "it is somebody's")
    assert.strictEqual(yield* count("recovery_codes"), 9)
  })

  identityTest(
    "prove who somebody is, in place of a code, and the last one that goes takes the codes along",
    function*() {
      const ada = yield* withPasskey(ADA)
      const passkeys = yield* Passkeys
      const [passkey] = yield* passkeys.list(ada.userId)
      const id = passkey?.id ?? PasskeyId.make(0n)
      const signed = Effect.map(request("factor", ada), (challenge) => ({
        json: ada.device.get({ ...PARTY, challenge }),
        visitor: VISITOR
      }))
      const removing = (of: PasskeyId, proof: object) => outcome(passkeys.remove({ ...proofOf(ada), id: of, ...proof }))
      assert.strictEqual(yield* removing(id, {}), "SecondFactorWrong")
      const codes = yield* (yield* SecondFactors).renewCodes({ ...proofOf(ada), passkey: yield* signed })
      assert.strictEqual(Redacted.value(codes).length, 10)
      assert.strictEqual(yield* removing(PasskeyId.make(999n), { passkey: yield* signed }), "PasskeyNotFound")
      const eve = yield* withPasskey("eve@example.com")
      const theirs = (yield* passkeys.list(eve.userId))[0]?.id ?? PasskeyId.make(0n)
      assert.strictEqual(yield* removing(theirs, { passkey: yield* signed }), "PasskeyNotFound")
      const left = yield* passkeys.remove({ ...proofOf(ada), id, passkey: yield* signed })
      assert.deepStrictEqual(yield* areLive(left, ada.token), [true, false])
      assert.strictEqual((yield* (yield* SecondFactors).view(ada.userId)).recoveryCodes, 0)
      assert.strictEqual((yield* (yield* Login).login(person(ADA)))._tag, "LoggedIn")
      assert.include(yield* recordedOf(ada.userId), `user:${ada.userId} passkey.removed`)
      assert.deepStrictEqual((yield* changesTold(ada.userId)).map(([change]) => change), [
        "passkey_added",
        "recovery_codes",
        "passkey_removed"
      ])
    }
  )

  identityTest("sign in nobody who is disabled, nor one whose second factors were reset", function*() {
    const ada = yield* withPasskey(ADA)
    const admin = yield* UserAdmin
    const login = Effect.flatMap(
      request("login"),
      (challenge) => outcome(passkeyLogin(ada.device.get({ ...PARTY, challenge })))
    )
    yield* admin.disable(cliActor, ada.userId)
    assert.strictEqual(yield* login, "LoginRefused")
    yield* admin.enable(cliActor, ada.userId)
    assert.strictEqual(yield* login, "ok")
    yield* (yield* SecondFactors).reset(cliActor, ada.userId)
    assert.strictEqual(yield* login, "LoginRefused")
  })

  identityTest("are asked for by their ids after the password, and by none before", function*() {
    const ada = yield* withPasskey(ADA)
    const bob = yield* registered("bob@example.com")
    const passkeys = yield* Passkeys
    const asked = (more: object) =>
      Effect.map(
        passkeys.request({ purpose: "factor", visitor: VISITOR, ...more }),
        (options) => options === undefined ? undefined : JSON.parse(options)
      )
    assert.deepStrictEqual((yield* asked({ userId: ada.userId })).allowCredentials, [
      { type: "public-key", id: ada.device.id.toString("base64url"), transports: ["internal"] }
    ])
    assert.isUndefined(yield* asked({ userId: bob.userId }))
    const login = yield* asked({ purpose: "login" })
    assert.deepInclude(login, { allowCredentials: [], userVerification: "required", rpId: "realms.example" })
    const sql = yield* SqlClient.SqlClient
    yield* sql`UPDATE passkeys SET rp_id = 'old.example'`
    assert.isUndefined(yield* asked({ userId: ada.userId }), "of another host name")
    const json = ada.device.get({ ...PARTY, challenge: login.challenge })
    assert.strictEqual(yield* outcome(passkeyLogin(json)), "LoginRefused")
  })
})
