/**
 * The audit log in words: each change with what was done to what, and its fields as the forms call them, before beside after, with money
 * as money, in both languages; what is not known is shown as it was recorded, and nothing in it is read as markup.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleClient } from "../../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"

const textOf = (html: string): string =>
  html.slice(html.indexOf("<main")).replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ")

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("the audit log in the console", (it) => {
  it.effect("reads in words and money, with what changed side by side", () =>
    Effect.gen(function*() {
      const { client, root, world } = yield* signedInRoot
      const record = (action: string, target: string, before: object | null, after: object | null) =>
        Effect.orDie(world.sql`INSERT INTO audit_log (actor, action, target, before, after)
          VALUES (${`user:${root.id}`}, ${action}, ${target}, ${before === null ? null : JSON.stringify(before)}::jsonb,
            ${after === null ? null : JSON.stringify(after)}::jsonb)`)
      yield* record("model.changed", "model:gpt-4o", { output_micros_per_1m: "10000000", reasoning: false }, {
        output_micros_per_1m: "8000000",
        reasoning: true
      })
      yield* record("plan.changed", "plan:1", { price_fen: "1200" }, { price_fen: "1500" })
      yield* record(
        "settings.saved",
        "settings",
        { "billing.min_topup_cny": "10.00", "payment.epay.key": "(not set)" },
        {
          "billing.min_topup_cny": "20.00",
          "payment.epay.key": "(set)",
          reset: ["registration.mode"]
        }
      )
      yield* record("balance.adjusted", "user:7", { usd_micros: "1000000" }, {
        amount_micros: "-500000",
        note: "agreed"
      })
      yield* record("payment.credited", "payment:3", null, { user_id: "7", amount_micros: "700000", payment: "pi_<b>" })
      yield* record("order.refund_requested", "order:4", null, { refund: "2", amount_minor: "994", currency: "cny" })
      yield* record("user.role_changed", "user:7", { role: "user" }, { role: "finance" })
      yield* record("announcement.changed", "announcement:5", { title_zh: "旧" }, {
        title_zh: "新",
        starts_on: "2026-11-30"
      })
      yield* record("group.created", "group:6", null, { code: "vip" })
      yield* record("settings.saved", "settings", { "site.name": "A" }, { "site.name": "B", reset: [] })
      yield* record("later.invented", "later:9", { what: { deep: [1, "<i>"] } }, { what: null })
      const page = yield* client.get("/admin/audit")
      assert.strictEqual(page.status, 200)
      const text = textOf(page.text)
      for (
        const said of [
          "Model changed Model gpt-4o",
          "Output was $10.00 is now $8.00",
          "was no is now yes",
          "Plan changed Plan #1",
          "Price was ¥12.00 is now ¥15.00",
          "was 10.00 is now 20.00",
          "was (not set) is now (set)",
          "Balance adjusted User #7",
          "Balance was $1.00",
          "Amount is now -$0.50",
          "Payment credited Payment event #3",
          "Amount is now $0.70",
          "Amount is now ¥9.94",
          "Role changed User #7 user.role_changed Role was User is now Finance",
          "Title (Chinese) was 旧 is now 新 From is now 2026-11-30",
          "Code is now vip",
          "Name of the site was A is now B",
          "later.invented later:9"
        ]
      ) {
        assert.include(text, said)
      }
      assert.notInclude(text, "is now B Reset to the default")
      assert.notInclude(page.text, "<b>")
      assert.notInclude(page.text, "<i>")
      assert.include(page.text, 'href="/admin/plans/1"')
      const chinese = new ConsoleClient(world.origin, {
        session: yield* world.session(root.id),
        headers: { "accept-language": "zh-CN" }
      })
      const translated = textOf((yield* chinese.get("/admin/audit")).text)
      for (const said of ["更改模型", "调整余额 用户 #7", "更改角色", "标题 (中文)", "代码 现为 vip"]) {
        assert.include(translated, said)
      }
    }))
})
