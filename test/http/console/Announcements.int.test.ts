/**
 * Announcements, from root's form to the pages of users: by day, in the reader's language, escaped, and away for good once dismissed.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { revisionIn } from "../../support/RootClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { until } from "../../support/Until.ts"

const DAY = "2020-01-01"

const form = (fields: Readonly<Record<string, string>>) => ({
  starts_on: DAY,
  ends_on: "",
  title_en: "",
  text_en: "",
  title_zh: "",
  text_zh: "",
  ...fields
})

const prepare = Effect.gen(function*() {
  const { client: root, world } = yield* signedInRoot
  const make = Effect.fnUntraced(function*(fields: Readonly<Record<string, string>>) {
    yield* root.get("/admin/announcements/new")
    const made = yield* root.post("/admin/announcements/new", form(fields))
    assert.strictEqual(made.status, 303, made.text)
    return /\/admin\/announcements\/(\d+)/.exec(String(made.headers["location"]))?.[1] ?? ""
  })
  return { make, root, world }
})

/** Nothing is announced any more. */
const clear = Effect.gen(function*() {
  const { sql } = yield* ConsoleWorld
  yield* sql`DELETE FROM announcements`
  yield* sql`SELECT pg_notify('realms', 'settings:test')`
}).pipe(Effect.orDie)

const shows = (client: Effect.Success<typeof asUser>["client"], text: string, path = "/keys") =>
  until(`the page shows ${text}`, Effect.map(client.get(path), (page) => page.text.includes(text)))

describe("announcements", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("stand above the pages of users in their language, escaped, with links", () =>
      Effect.gen(function*() {
        yield* clear
        const { make, root, world } = yield* prepare
        yield* make({
          title_en: "<b>New</b> model",
          text_en: "See https://example.com/a.\n<script>alert(1)</script>",
          title_zh: "新模型"
        })
        const { client } = yield* asUser
        yield* shows(client, "&lt;b>New&lt;/b> model")
        const page = yield* client.get("/keys")
        assert.include(page.text, '<a href="https://example.com/a"')
        assert.include(page.text, "&lt;script>alert(1)")
        assert.include((yield* client.get("/keys", { "accept-language": "zh" })).text, "新模型")
        for (const path of ["/admin", "/admin/users"]) assert.notInclude((yield* root.get(path)).text, 'announcement"')
        const [row] = yield* world.sql`SELECT action, target FROM audit_log WHERE action LIKE 'announcement.%'`
        assert.propertyVal(row, "action", "announcement.created")
      }))

    it.effect("stay away for whom dismissed them, and for nobody else", () =>
      Effect.gen(function*() {
        yield* clear
        const { make, root, world } = yield* prepare
        const id = yield* make({ title_en: "Once" })
        const [{ client: one }, { client: other }] = [yield* asUser, yield* asUser]
        yield* shows(one, "Once")
        for (const time of [1, 2]) {
          yield* one.get("/usage")
          const dismissed = yield* one.post(`/announcements/${id}/dismiss`, { next: "/usage?range=7d" })
          assert.strictEqual(dismissed.status, 303, String(time))
          assert.strictEqual(dismissed.headers["location"], "/usage?range=7d")
        }
        assert.notInclude((yield* one.get("/keys")).text, "Once")
        assert.include((yield* one.get("/announcements")).text, "Once")
        assert.include((yield* other.get("/keys")).text, "Once")
        // What it says now is no reason to show it again.
        const edit = `/admin/announcements/${id}`
        const revision = revisionIn((yield* root.get(edit)).text)
        assert.strictEqual((yield* root.post(edit, { ...form({ title_en: "Once more" }), revision })).status, 303)
        yield* shows(other, "Once more")
        assert.notInclude((yield* one.get("/keys")).text, "Once")
        // Without its token, to elsewhere, or of what is not there, nothing is done.
        assert.strictEqual((yield* other.post(`/announcements/${id}/dismiss`, { csrf_token: "x" })).status, 403)
        yield* other.get("/keys")
        const away = yield* other.post("/announcements/999999999999/dismiss", { next: "https://evil.example" })
        assert.strictEqual(away.headers["location"], "/")
        const rows = yield* world.sql`SELECT user_id FROM announcement_dismissals`
        assert.strictEqual(rows.length, 1)
      }))

    it.effect("are shown from their first day to their last, while they are enabled", () =>
      Effect.gen(function*() {
        yield* clear
        const { make, root } = yield* prepare
        yield* make({ title_en: "Long ago", ends_on: "2020-12-31" })
        yield* make({ title_en: "Far ahead", starts_on: "2999-01-01" })
        const id = yield* make({ title_en: "Running", ends_on: "2999-01-01" })
        const { client } = yield* asUser
        yield* shows(client, "Running")
        const page = yield* client.get("/keys")
        assert.notInclude(page.text, "Long ago")
        assert.notInclude(page.text, "Far ahead")
        const list = (yield* root.get("/admin/announcements")).text
        for (const text of ["Long ago", "Far ahead", "Running", "Upcoming", "Over"]) assert.include(list, text)
        const ask = yield* root.get(`/admin/announcements/${id}/disable`)
        const revision = revisionIn(ask.text)
        assert.strictEqual((yield* root.post(`/admin/announcements/${id}/disable`, { revision })).status, 303)
        yield* until(
          "it is gone",
          Effect.map(client.get("/keys"), ({ text }) => !text.includes("Running"))
        )
      }))

    it.effect("are refused where they are wrong or too many, and a form that is sent twice makes one", () =>
      Effect.gen(function*() {
        yield* clear
        const { make, root, world } = yield* prepare
        yield* root.get("/admin/announcements/new")
        const table: ReadonlyArray<readonly [wrong: Readonly<Record<string, string>>, field: string]> = [
          [{}, "title_en"],
          [{ title_zh: "x".repeat(121) }, "title_zh"],
          [{ title_en: "a", text_en: "x".repeat(2_001) }, "text_en"],
          [{ title_en: "a", starts_on: "" }, "starts_on"],
          [{ title_en: "a", starts_on: "2025-02-30" }, "starts_on"],
          [{ title_en: "a", ends_on: "2019-12-31" }, "ends_on"],
          [{ title_en: "a", ends_on: "soon" }, "ends_on"]
        ]
        for (const [wrong, field] of table) {
          const refused = yield* root.post("/admin/announcements/new", form(wrong))
          assert.strictEqual(refused.status, 422, field)
          assert.include(refused.text, `id="field-${field}-problem"`)
        }
        assert.strictEqual(yield* make({ title_en: "Same" }), yield* make({ title_en: "Same" }))
        for (let at = 1; at < 20; at++) yield* make({ title_en: `Number ${at}` })
        const over = yield* root.post("/admin/announcements/new", form({ title_en: "One too many" }))
        assert.strictEqual(over.status, 422)
        assert.include(over.text, "At most 20 announcements")
        // One that is over takes no place.
        yield* make({ title_en: "Past", ends_on: "2020-12-31" })
        const { client } = yield* asUser
        yield* shows(client, "17 more announcements")
        const [row] = yield* world.sql`SELECT count(*)::integer AS count FROM announcements`
        assert.deepStrictEqual(row, { count: 21 })
      }))
  })
})
