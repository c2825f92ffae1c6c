import { assert, describe, it } from "@effect/vitest"
import { fenOf, type MoneyStyle, moneyText } from "../../simulators/epay/EpayMoney.ts"
import { type EpayPairs, epaySign, epaySigned, epayText, epayVerify } from "../../simulators/epay/EpaySignature.ts"
import { api, form, ordered, submit, submitByGet, withEpay } from "./EpayProbe.ts"

const KEY = "89unJUB8HZ54Hj7x4nUj56HN4nUzUJ8i"
const manual = { notifies: "manual" } as const

const pairsOf = (text: string): EpayPairs =>
  text.split("&").map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)])

describe("EpaySignature", () => {
  it.each([
    [
      "device=pc&money=20.00&name=Realms Top-up topup_1001&notify_url=https://realms.example.com/api/pay/epay/notify&" +
      "out_trade_no=topup_1001&pid=1001&return_url=https://realms.example.com/pay/topup/1001&type=alipay",
      "2d1bfc44d4c4f3ae838ff9280802526e"
    ],
    [
      "device=pc&money=20.00&name=余额充值&notify_url=https://realms.example.com/api/pay/epay/notify&" +
      "out_trade_no=topup_1001&pid=1001&return_url=https://realms.example.com/pay/topup/1001&type=wxpay",
      "b386a81766b4a5490bfbd853fad44dd7"
    ],
    [
      "money=20.00&name=Realms Top-up topup_1001&out_trade_no=topup_1001&pid=1001&trade_no=20160806151343349021&" +
      "trade_status=TRADE_SUCCESS&type=alipay",
      "4ded3d635f19d1e96ee36843194d9839"
    ]
  ])("signs %s", (text, sign) => {
    const pairs: EpayPairs = [["param", ""], ...pairsOf(text).toReversed(), ["sign_type", "MD5"]]
    assert.strictEqual(epayText(pairs), text)
    assert.strictEqual(epaySign(pairs, KEY), sign)
    const signed = epaySigned(pairs, KEY)
    assert.isTrue(epayVerify(signed, KEY))
    assert.isFalse(epayVerify([...signed, ["unknown", "1"]], KEY))
    assert.isFalse(epayVerify(signed, "other"))
    assert.isFalse(epayVerify(pairs, KEY))
  })
})

describe("EpayMoney", () => {
  it.each<[string, number | undefined]>([
    ["20", 2000],
    ["20.0", 2000],
    ["20.00", 2000],
    ["0.01", 1],
    ["9999999.99", 999_999_999],
    ["0", undefined],
    ["-20", undefined],
    ["2e1", undefined],
    ["20.001", undefined],
    ["020", undefined],
    ["20.", undefined],
    ["", undefined]
  ])("reads %s", (text, fen) => assert.strictEqual(fenOf(text), fen))

  it.each<[number, MoneyStyle, string]>([
    [2000, "20", "20"],
    [2000, "20.0", "20.0"],
    [2000, "20.00", "20.00"],
    [2050, "20", "20.5"],
    [2050, "20.0", "20.5"],
    [2005, "20", "20.05"],
    [5, "20.0", "0.05"]
  ])("writes %d as %s: %s", (fen, style, text) => assert.strictEqual(moneyText(fen, style), text))
})

describe("EpaySimulator's cashier", () => {
  withEpay("takes an order by POST and by GET, and escapes its name", async (world) => {
    for (const send of [submit, submitByGet]) {
      const answer = await send(world, form(world))
      assert.strictEqual(answer.status, 303)
      const text = await (await fetch(world.sim.url + answer.headers.get("location"))).text()
      assert.include(text, "余额充值 &lt;b&gt;20&lt;/b&gt;")
      assert.include(text, "¥20.00")
      assert.deepStrictEqual(text.match(/value="\w+"/g), [`value="alipay"`])
    }
    assert.strictEqual(world.sim.orders.size, 1)
  })

  withEpay("refuses what is wrong, with a page", async (world) => {
    const table: ReadonlyArray<readonly [pairs: EpayPairs, words: string]> = [
      [form(world).map(([name, value]) => [name, name === "money" ? "0.01" : value]), "signature"],
      [[...form(world), ["unsigned", "1"]], "signature"],
      [[...form(world), ["money", "0.01"]], "twice: money"],
      [form(world).filter(([name]) => name !== "sign"), "missing: sign"],
      [form(world, { notify_url: "" }), "missing: notify_url"],
      [form(world, { pid: "1002" }), "no merchant"],
      [form(world, { money: "20.001" }), "money"],
      [form(world, { money: "-20" }), "money"],
      [form(world, { type: "cash" }), "type is not offered"],
      [form(world, { notify_url: `${world.shop.url}?a=1` }), "notify_url"],
      [form(world, { return_url: "javascript:alert(1)" }), "return_url"],
      [form(world, { out_trade_no: "<script>" }), "&lt;script&gt;"]
    ]
    for (const [pairs, words] of table) {
      const answer = await submit(world, pairs)
      assert.strictEqual(answer.status, 400)
      assert.include(await answer.text(), words)
    }
    assert.strictEqual(world.sim.orders.size, 0)
    assert.strictEqual((await fetch(`${world.sim.url}/cashier/1`)).status, 404)
  })

  withEpay("lets the customer choose, pays, tells, and sends the browser back", async (world) => {
    const answer = await submit(
      world,
      form(world, { type: "", param: "p&q", return_url: "http://127.0.0.1:9/back?a=1" })
    )
    const cashier = world.sim.url + answer.headers.get("location")
    assert.deepStrictEqual((await (await fetch(cashier)).text()).match(/value="\w+"/g)?.length, 3)
    const body = new URLSearchParams({ type: "wxpay" })
    const paid = await fetch(cashier, { method: "POST", body, redirect: "manual" })
    const [note] = world.notes()
    assert.deepInclude(note, {
      verified: true,
      pid: world.sim.pid,
      out_trade_no: "topup_1_abc",
      type: "wxpay",
      money: "20.00",
      trade_status: "TRADE_SUCCESS",
      param: "p&q"
    })
    assert.match(String(note?.trade_no), /^\d{20}$/)
    const back = new URL(paid.headers.get("location") ?? "")
    const returned = [...back.searchParams].filter(([name]) => name !== "a")
    assert.strictEqual(`${back.origin}${back.pathname}`, "http://127.0.0.1:9/back")
    assert.isTrue(epayVerify(returned, world.sim.key))
    assert.strictEqual(Object.fromEntries(returned).trade_no, note?.trade_no)
    assert.include(await (await fetch(cashier)).text(), "Paid.")
    assert.strictEqual((await fetch(cashier, { method: "POST", body })).status, 400)
    assert.strictEqual((await submit(world, form(world))).status, 400)
  })

  withEpay("cuts a long name after it was verified", async (world) => {
    const id = await ordered(world, { name: `a${"余".repeat(100)}` })
    assert.strictEqual(world.sim.orders.get(id)?.name, `a${"余".repeat(42)}`)
    const other = await ordered(world, { name: "😀".repeat(100), out_trade_no: "topup_2" })
    assert.strictEqual(world.sim.orders.get(other)?.name, "😀".repeat(31))
  })
})

describe("EpaySimulator's notifies", () => {
  for (const [moneyStyle, money] of [["20", "20"], ["20.0", "20.0"], ["20.00", "20.00"]] as const) {
    withEpay(`write money as ${money}, by POST when told`, async (world) => {
      world.sim.pay(await ordered(world), { trade_no: "20160806151343349021" })
      await world.sim.idle()
      assert.deepInclude(world.notes()[0], { verified: true, money, trade_no: "20160806151343349021" })
      assert.deepStrictEqual(world.shop.received.map(({ method, query }) => [method, query]), [["POST", ""]])
    }, { moneyStyle, notifyMethod: "POST" })
  }

  withEpay("are repeated until the answer is exactly success, and not for ever", async (world) => {
    world.shop.answers.push([200, "fail"], [500, "success"])
    world.sim.pay(await ordered(world))
    await world.sim.idle()
    assert.deepStrictEqual(world.sim.deliveries.map(({ attempt, body, status }) => [attempt, status, body]), [
      [1, 200, "fail"],
      [2, 500, "success"],
      [3, 200, "success"]
    ])
    world.shop.answers.push([200, "success\n"], [200, "SUCCESS"], [200, ""])
    world.sim.pay(await ordered(world, { out_trade_no: "topup_2" }))
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 6)
  })

  withEpay("can be sent by hand, as often as one likes", async (world) => {
    const id = await ordered(world)
    world.sim.pay(id)
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 0)
    await world.sim.notify(id, { times: 3, concurrent: true })
    const sent = await world.sim.notify(id, { times: 2, method: "POST" })
    assert.deepStrictEqual(sent.map(({ about, body }) => [about, body]), [[id, "success"], [id, "success"]])
    assert.isTrue(world.notes().every((note) => note.verified))
    assert.deepStrictEqual(world.shop.received.map(({ method }) => method), ["GET", "GET", "GET", "POST", "POST"])
    world.sim.setNotifyMode("automatic")
    world.sim.pay(await ordered(world, { out_trade_no: "topup_2" }))
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 6)
  }, manual)

  withEpay("can lie", async (world) => {
    const id = await ordered(world)
    world.sim.pay(id)
    await world.sim.notify(id, { tamper: (parameters) => ({ ...parameters, money: "99.00" }) })
    await world.sim.notify(id, { tamper: (parameters) => ({ ...parameters, trade_no: "2" }), resign: true })
    await world.sim.notify(id, { tamper: (parameters) => [...Object.entries(parameters), ["money", "99.00"]] })
    const [unsigned, resigned] = world.notes()
    assert.deepInclude(unsigned, { verified: false, money: "99.00" })
    assert.deepInclude(resigned, { verified: true, trade_no: "2" })
    assert.deepStrictEqual(new URLSearchParams(world.shop.received[2]?.query).getAll("money"), ["20.00", "99.00"])
    assert.strictEqual((await world.sim.notify(id, { to: "http://127.0.0.1:1/x" }))[0]?.status, 0)
  }, manual)

  withEpay("tell of other money and other ends", async (world) => {
    world.sim.pay(await ordered(world), { money: "19.99" })
    world.sim.pay(await ordered(world, { out_trade_no: "topup_2" }), { status: "TRADE_CLOSED" })
    await world.sim.idle()
    assert.deepStrictEqual(world.notes().map((note) => [note.money, note.trade_status]).toSorted(), [
      ["19.99", "TRADE_SUCCESS"],
      ["20.00", "TRADE_CLOSED"]
    ])
    assert.throws(() => world.sim.pay("topup_1_abc"), "paid already")
    assert.throws(() => world.sim.pay("topup_9"), "no order")
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: "topup_2" })).json(), { status: "0" })
    world.sim.pay("topup_2")
    await world.sim.idle()
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: "topup_2" })).json(), { status: "1" })
  })
})

describe("EpaySimulator's api.php", () => {
  withEpay("tells what became of an order, numbers as text", async (world) => {
    const id = await ordered(world)
    const order = async () => (await api(world, { act: "order", out_trade_no: id })).json()
    assert.deepInclude(await order(), { code: "1", status: "0", money: "20", pid: "1001", out_trade_no: id })
    world.sim.pay(id, { trade_no: "2016" })
    assert.deepInclude(await order(), { status: "1", trade_no: "2016", type: "alipay" })
    assert.deepInclude(await (await api(world, { act: "order", trade_no: "2016" })).json(), { out_trade_no: id })
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: "none" })).json(), { code: "-1" })
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: id, key: "x" })).json(), { code: "-3" })
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: id, pid: "x" })).json(), { code: "-3" })
    assert.deepInclude(await (await api(world, { act: "settle" })).json(), { code: "-5" })
    assert.deepStrictEqual(world.sim.requests[0], { method: "GET", act: "order", outTradeNo: id })
  }, { moneyStyle: "20" })

  withEpay("writes numbers as numbers when told", async (world) => {
    const answer = await api(world, { act: "order", out_trade_no: await ordered(world) })
    assert.deepInclude(await answer.json(), { code: 1, pid: 1001, status: 0, money: "20.00" })
  }, { numbersAsText: false })

  withEpay("gives money back, and never too much", async (world) => {
    const id = await ordered(world)
    const refund = async (money: string, method: "GET" | "POST" = "POST") => {
      const tradeNo = world.sim.orders.get(id)?.tradeNo ?? ""
      const answer: unknown = await (await api(world, { act: "refund", trade_no: tradeNo, money }, method)).json()
      return typeof answer === "object" && answer !== null && "code" in answer ? answer.code : undefined
    }
    assert.strictEqual(await refund("1"), "-1")
    world.sim.pay(id)
    assert.deepStrictEqual(
      [await refund("5.00", "GET"), await refund("5.00"), await refund("15.01"), await refund("0"), await refund("15")],
      ["-5", "1", "-1", "-1", "1"]
    )
    assert.deepInclude(await (await api(world, { act: "order", out_trade_no: id })).json(), { status: "2" })
  }, manual)

  withEpay("misbehaves when told", async (world) => {
    const id = await ordered(world)
    const query = () => api(world, { act: "order", out_trade_no: id })
    for (const fault of [{ status: 502 }, { html: true }, { hugeBytes: 5_000_000 }, { money: "0.01" }]) {
      world.sim.next(fault)
    }
    assert.strictEqual((await query()).status, 502)
    assert.include(await (await query()).text(), "<html")
    assert.strictEqual((await (await query()).text()).length, 5_000_000)
    assert.deepInclude(await (await query()).json(), { code: "1", money: "0.01" })
    world.sim.next({ dropConnection: true })
    assert.isTrue(await query().then(() => false, () => true))
    world.sim.next({ gate: "late", delayMs: 1 })
    const late = query()
    await world.sim.until(() => world.sim.waiting("late") === 1)
    world.sim.open("late")
    assert.deepInclude(await (await late).json(), { money: "20.00" })
  })
})
