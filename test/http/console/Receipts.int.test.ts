/**
 * What a buyer sees of topping up: amounts and bonuses from the settings, the balance in the bar when the payment lands, and the
 * receipt on a page and as a PDF, which is nobody else's and lets nothing of what people wrote out of its text.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { OrderId } from "../../../src/domain/Ids.ts"
import type { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { until } from "../../support/Until.ts"

const hostile = `<img src=x onerror=alert(1)>"'&`

const World = ConsoleWorld.layerOf({
  seller: { name: "Realms 科技", address: `Street 1\n${hostile}`, tax_id: "91310" },
  billing: {
    topup_presets_cny: ["25.00", "100.00", "99999.00"],
    topup_bonuses: ["100.00: 5 percent", "20: 2.5%"]
  }
})

const payByStripe = Effect.fnUntraced(function*(client: ConsoleClient, id: OrderId) {
  const world = yield* ConsoleWorld
  yield* client.get(`/pay/topup/${id}`)
  assert.strictEqual((yield* client.post(`/pay/topup/${id}/start`, { provider: "stripe" })).status, 303)
  world.stripe.pay(world.stripe.sessionIds().at(-1) ?? "")
  yield* until(
    "the order is paid",
    Effect.map(Effect.orDie(world.orders.show(id, undefined)), ({ order }) => order.state === "paid")
  )
})

layer(World, { excludeTestServices: true })("a top-up and its receipt", (it) => {
  it.effect("offers the amounts and bonuses of the settings, and says before paying what they give", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      const { text } = yield* client.get("/topup")
      assert.deepStrictEqual(
        [...text.matchAll(/name="amount_cny" value="([\d.]+)"/g)].map(([, amount]) => amount),
        ["25.00", "100.00"],
        "none that cannot be bought"
      )
      for (const said of ["gives $14.70", "5% bonus", "2.5% bonus", "From ¥20.00: 2.5% bonus."]) {
        assert.include(text, said)
      }
      const preview = yield* client.get("/topup/preview?amount_cny=100")
      assert.include(preview.text, "You get $14.70 of credit, $0.70 of it as a bonus.")
      assert.include((yield* client.get("/topup/preview?amount_cny=19.99")).text, "You get $2.7986 of credit.")
      const placed = yield* client.post("/topup/create", { amount_cny: "100.00" })
      const again = yield* client.post("/topup/create", { amount_cny: "100" })
      assert.strictEqual(again.headers.location, placed.headers.location, "one order, not a pile")
      const pay = yield* client.get(String(placed.headers.location))
      assert.include(pay.text, "$14.70, of which $0.70 is a bonus")
      assert.match(pay.text, /data-seconds-left="7\d\d\d"/)
      assert.isBelow(pay.text.indexOf("Pay with card"), pay.text.indexOf("Pay with Alipay"))
      assert.strictEqual((yield* world.orders.list(user.id)).length, 1)
    }))

  it.effect("changes the balance in the bar with the payment, and not before", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      const { id } = yield* world.orders.topup(user.id, 10_000n)
      const page = yield* client.get(`/pay/topup/${id}`)
      assert.include(page.text, `id="balance"`)
      const status = `/pay/topup/${id}/status`
      assert.notInclude((yield* client.get(status, { "hx-request": "true" })).text, "hx-swap-oob")
      yield* payByStripe(client, id)
      const paid = yield* client.get(status, { "hx-request": "true" })
      assert.match(paid.text, /<a id="balance"[^>]*hx-swap-oob="true"[\s\S]*\$14\.70/)
      assert.strictEqual([...paid.text.matchAll(/id="balance"/g)].length, 1)
    }))

  it.effect("has a receipt once it is paid, on a page and as a PDF, for its buyer alone", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      const stranger = (yield* asUser).client
      const { id } = yield* world.orders.topup(user.id, 10_000n)
      assert.strictEqual((yield* client.get(`/orders/${id}/receipt.pdf`)).status, 404, "nothing is paid yet")
      assert.notInclude((yield* client.get(`/orders/${id}`)).text, "receipt.pdf")
      yield* client.get("/account")
      const long = yield* client.post("/account/buyer", { company_name: "x".repeat(201), tax_id: hostile })
      assert.strictEqual(long.status, 422)
      assert.include(long.text, "Enter at most 200 characters")
      // It is said once, in the form that was sent.
      assert.match(
        long.text,
        /^(?:(?!role="alert").)*id="buyer"(?:(?!role="alert").)*role="alert"(?:(?!role="alert").)*$/s
      )
      assert.strictEqual(
        (yield* client.post("/account/buyer", { company_name: hostile, tax_id: "T-1" })).headers.location,
        "/account?done=buyer"
      )
      assert.include((yield* client.get("/account?done=buyer")).text, "&lt;img src=x")
      yield* payByStripe(client, id)
      yield* client.post("/account/buyer", { company_name: "Later Ltd", tax_id: "T-2" })
      const { text } = yield* client.get(`/orders/${id}`)
      for (
        const said of ["Realms 科技", "Street 1", "Tax id: 91310", "Tax id: T-1", user.email, "¥100.00", "$14.70, of"]
      ) {
        assert.include(text, said)
      }
      for (const not of ["<img src=x", "Later Ltd", "T-2"]) assert.notInclude(text, not)
      // Its thread may take its time to start where others compute, and then says so.
      const printing = client.get(`/orders/${id}/receipt.pdf`)
      yield* until("it is printed", Effect.map(Effect.orDie(printing), ({ status }) => status === 200))
      const pdf = yield* printing
      assert.deepStrictEqual([pdf.status, pdf.headers["content-type"]], [200, "application/pdf"])
      assert.match(String(pdf.headers["content-disposition"]), /^attachment; filename="receipt-\d+\.pdf"$/)
      assert.isTrue(pdf.text.startsWith("%PDF-"))
      for (const path of [`/orders/${id}`, `/orders/${id}/receipt.pdf`]) {
        assert.strictEqual((yield* stranger.get(path)).status, 404, path)
      }
      assert.deepStrictEqual(yield* world.problems, [])
    }))
})
