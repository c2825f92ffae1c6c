/**
 * The books in the browser, as somebody of the role finance uses them: statements and their file, closed days, the liability, exports, and
 * a provider's bill that is compared.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { ConsoleClient } from "../../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"

const BOUNDARY = "----of-a-test"

/** A form with a file, as a browser sends it. */
const upload = (client: ConsoleClient, fields: Readonly<Record<string, string>>, file?: string, language = "en") => {
  const part = (name: string, more: string, value: string) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  const body = [
    ...Object.entries({ csrf_token: client.token, ...fields }).map(([name, value]) => part(name, "", value)),
    ...file === undefined ? [] : [part("file", `; filename="../bill.csv"\r\ncontent-type: text/csv`, file)],
    `--${BOUNDARY}--\r\n`
  ].join("")
  return client.postText("/admin/bills/check", body, {
    "accept-language": language,
    "content-type": `multipart/form-data; boundary=${BOUNDARY}`
  })
}

/** Somebody of the role finance, and 10.00 CNY paid through Stripe by a user. */
const books = Effect.gen(function*() {
  const { client: root, world } = yield* signedInRoot
  yield* root.get("/admin")
  const person = yield* world.user(0n)
  yield* Effect.orDie(world.sql`UPDATE users SET role = 'finance' WHERE id = ${person.id}`)
  const client = yield* world.signedIn(person.id)
  yield* client.get("/admin")
  const { client: buyer, user } = yield* asUser
  const order = yield* Effect.orDie(world.orders.topup(user.id, 1_000n))
  yield* buyer.get(`/pay/topup/${order.id}`)
  yield* buyer.post(`/pay/topup/${order.id}/start`, { provider: "stripe" })
  const { attempts } = yield* Effect.orDie(world.orders.show(order.id, undefined))
  const { paymentIntent } = world.stripe.pay(attempts[0]?.session ?? "")
  yield* Effect.promise(() => world.stripe.idle())
  return { client, world, user, paymentIntent }
})

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("the books in the console", (it) => {
  it.effect("say what users have, owe and have paid, as a page and as a file", () =>
    Effect.gen(function*() {
      const { client, world } = yield* books
      const page = yield* client.get("/admin/statements")
      assert.strictEqual(page.status, 200)
      const [row] = yield* world.sql<{ usd: bigint }>`SELECT sum(usd_micros)::bigint AS usd FROM user_balances`
      for (const said of ["Top-ups", "$1.40", "Cash: Stripe, CNY", "¥10.00", "Spendable now", "it may still change"]) {
        assert.include(page.text, said)
      }
      assert.include(page.text, "once the time zone of the books has been saved")
      assert.notInclude(page.text, 'href="/admin/settings"', "which is root's")
      const file = yield* client.get("/admin/statements/statement.csv")
      assert.strictEqual(file.headers["content-type"], "text/csv; charset=utf-8")
      assert.include(file.text, `balances,,usd,closing,${(Number(row?.usd ?? 0n) / 1e6).toFixed(2)}`)
      for (
        const [query, said] of [
          ["?from=2026-02-30", "not a day of the calendar"],
          ["?month=2026-13", "Write it as 2026-11"],
          ["?month=2026-01&from=2026-01-01", "not both"],
          ["?from=2026-02-02&to=2026-02-01", "before the first"],
          ["?from=2000-01-01&to=2026-01-01", "At most 1,100 days"],
          ["?from=%00&to='--", "not a day of the calendar"]
        ] as const
      ) {
        const wrong = yield* client.get(`/admin/statements${query}`)
        assert.strictEqual(wrong.status, 200, query)
        assert.include(wrong.text, said)
        assert.strictEqual((yield* client.get(`/admin/statements/days${query}`)).status, 200)
        assert.strictEqual((yield* client.get(`/admin/exports${query}`)).status, 200)
        assert.strictEqual((yield* client.get(`/admin/exports/cash${query}`)).status, 303)
      }
      // Before anything was there.
      assert.include((yield* client.get("/admin/statements?month=2001-01")).text, "$0.00")
      assert.include((yield* client.get("/admin/statements/days")).text, "No day of this range is closed")
    }))

  it.effect("say what is owed to users at the end of any day", () =>
    Effect.gen(function*() {
      const { client } = yield* books
      const now = yield* client.get("/admin/statements/liability")
      assert.strictEqual(now.status, 200)
      assert.include(now.text, "What users owe")
      const wrong = yield* client.get("/admin/statements/liability?day=x")
      assert.strictEqual(wrong.status, 200)
      assert.include(wrong.text, "not a day of the calendar")
    }))

  it.effect("export every kind of rows, with totals", () =>
    Effect.gen(function*() {
      const { client, paymentIntent } = yield* books
      const page = yield* client.get("/admin/exports?provider=stripe&currency=CNY")
      for (const kind of ["orders", "payments", "refunds", "disputes", "ledger", "cash"]) {
        const href = new RegExp(`href="(/admin/exports/${kind}\\?[^"]+)"`).exec(page.text)?.[1] ?? ""
        const file = yield* client.get(href.replaceAll("&amp;", "&"))
        assert.strictEqual(file.status, 200, kind)
        assert.match(String(file.headers["content-disposition"]), new RegExp(`filename="${kind}-[\\d-]+\\.csv"`))
        if (kind === "payments") assert.include(file.text, paymentIntent)
        if (kind === "cash") assert.match(file.text, /\r\ntotal,\d+ rows,/)
      }
      assert.strictEqual((yield* client.get("/admin/exports/passwords")).status, 404)
    }))

  it.effect("compare a provider's bill, of which nothing is kept", () =>
    Effect.gen(function*() {
      const { client, paymentIntent } = yield* books
      const form = yield* client.get("/admin/bills/check")
      assert.include(form.text, 'enctype="multipart/form-data"')
      const head =
        "created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,customer_facing_amount,customer_facing_currency"
      const line = (intent: string, amount: string) =>
        `2026-11-02 10:00:00,cny,${amount},0.50,9.50,charge,ch_1,${intent},${amount},cny`
      const agreed = yield* upload(client, { provider: "stripe" }, `${head}\n${line(paymentIntent, "10.00")}\n`)
      assert.strictEqual(agreed.status, 200)
      assert.include(agreed.text, "The file and the books agree.")
      const differing = yield* upload(
        client,
        { provider: "stripe", encoding: "gb18030" },
        `${head}\n${line(paymentIntent, "12.00")}\n${line("pi_unknown<b>", "3.00").replace("ch_1", "ch_2")}\n`
      )
      for (
        const said of ["2 differences", "Different amount", "Missing here", "¥12.00", "¥10.00", "pi_unknown&lt;b>"]
      ) {
        assert.include(differing.text, said)
      }
      assert.include(differing.text, `/admin/payments?q=${paymentIntent}`)
      for (
        const [fields, file, said] of [
          [{}, "a", "Choose from the list."],
          [{ provider: "stripe" }, undefined, "Choose a file."],
          // A path is no file.
          [{ provider: "stripe", file: "/etc/hostname" }, undefined, "Choose a file."],
          [{ provider: "stripe" }, "", "the file is empty"],
          [{ provider: "stripe" }, "a,b\n1,2\n", "Line 1:"],
          [{ provider: "epay" }, "trade_no,money\nT1,much\n", "column 2:"]
        ] as const
      ) {
        const refused = yield* upload(client, fields, file)
        assert.strictEqual(refused.status, 422, said)
        assert.include(refused.text, said)
      }
      const twice = `${head}\n${line("pi_9", "1.00")}\n${line("pi_9", "1.00")}\n`
      for (
        const [file, english, chinese] of [
          [
            twice,
            "Line 3: Payment &quot;pi_9&quot; is in the file twice",
            "第 3 行：支付流水号“pi_9”在文件中出现了两次"
          ],
          [`${head}\n${line("pi_9", "1.001")}\n`, "not an amount in CNY", "不是有效的 CNY 金额"],
          [`${head}\n"open`, "a quote is not closed", "引号没有闭合"]
        ] as const
      ) {
        const said = [
          yield* upload(client, { provider: "stripe" }, file),
          yield* upload(client, { provider: "stripe" }, file, "zh-CN")
        ]
        assert.include(said[0]?.text ?? "", english)
        assert.include(said[1]?.text ?? "", chinese)
      }
      // Not a form of this page.
      const plain = yield* client.post("/admin/bills/check", { provider: "stripe" })
      assert.strictEqual(plain.status, 415)
      const token = client.token
      client.token = "x"
      assert.strictEqual((yield* upload(client, { provider: "stripe" }, `${head}\n`)).status, 403)
      client.token = token
    }))

  it.effect("show closed days once they are", () =>
    Effect.gen(function*() {
      const { client, world } = yield* books
      const linesOf = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, "0"]))
      const lines = {
        balances: {
          opening: "0",
          lines: linesOf("top_ups credits codes adjustments clawbacks clawbacks_returned collected_debts calls"),
          closing: "7000000"
        },
        debts: { opening: "0", lines: linesOf("calls clawbacks collected waived"), closing: "2000000" },
        cash: [],
        plans: [{ currency: "cny", lines: linesOf("sold returned"), unearned: "1234" }]
      }
      yield* world.sql`INSERT INTO statement_days (day, time_zone, starts_at, ends_at, lines)
        VALUES ('2020-03-01', 'UTC', '2020-03-01T00:00:00Z', '2020-03-02T00:00:00Z', ${JSON.stringify(lines)}::jsonb)`
      const days = yield* client.get("/admin/statements/days?month=2020-03")
      assert.include(days.text, "/admin/statements?from=2020-03-01&amp;to=2020-03-01")
      assert.include(days.text, "$7.00")
      const statement = yield* client.get("/admin/statements?from=2020-03-01&to=2020-03-01")
      assert.include(statement.text, "Closed: it never changes again")
      const liability = yield* client.get("/admin/statements/liability?day=2020-03-01")
      for (const said of ["$7.00", "$2.00", "¥12.34"]) assert.include(liability.text, said)
    }))

  it.effect("are nobody's but root's and finance's", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asUser
      yield* client.get("/")
      const support = yield* world.user(0n)
      yield* world.sql`UPDATE users SET role = 'support' WHERE id = ${support.id}`
      const other = yield* world.signedIn(support.id)
      yield* other.get("/admin")
      for (
        const path of [
          "/admin/statements",
          "/admin/statements/days",
          "/admin/statements/liability",
          "/admin/statements/statement.csv",
          "/admin/exports",
          "/admin/exports/ledger",
          "/admin/bills/check"
        ]
      ) {
        for (const somebody of [client, other]) assert.strictEqual((yield* somebody.get(path)).status, 404, path)
      }
      for (const somebody of [client, other]) {
        assert.strictEqual((yield* upload(somebody, { provider: "stripe" }, "a")).status, 404)
      }
    }))
})
