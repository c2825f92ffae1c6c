/**
 * Files of providers against the books: what matches, what differs and what is missing on either side, in both encodings and in pieces
 * of any size; what cannot be read is refused with its line and column.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { BillCheck, type BillReport } from "../../src/finance/BillCheck.ts"
import type { Provider } from "../../src/payments/PaymentFact.ts"
import { tagOf } from "../support/ClawbackFacts.ts"
import { BooksZone, financeLayer } from "../support/FinanceRows.ts"

const head =
  "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,customer_facing_amount,customer_facing_currency"

/** Of Stripe's report, at noon of a day. */
const line = (
  category: string,
  source: string,
  intent: string,
  amount: string,
  more: { readonly currency?: string; readonly fee?: string; readonly net?: string } = {}
) =>
  `txn_${source},2026-03-05 12:00:00,usd,${more.net ?? "1.00"},${more.fee ?? "0.10"},${
    more.net ?? "1.00"
  },${category},${source},${intent},${amount},${amount === "" ? "" : more.currency ?? "cny"}`

const bytesOf = (text: string) => new TextEncoder().encode(text)

const check = (bytes: Uint8Array, provider: Provider = "stripe", pieceBytes = 65_536) =>
  Effect.gen(function*() {
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / pieceBytes) },
      (_, index) => bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes)
    )
    return yield* (yield* BillCheck).check({ provider, bytes: Stream.fromIterable(pieces) })
  })

/** A payment that a provider has told of, and what came back of it. */
const paid = Effect.fnUntraced(function*(provider: Provider, id: string, minor: bigint, currency = "cny") {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO payments (provider, payment_id, state, received_provider, received_minor, received_currency, paid_minor, currency)
    VALUES (${provider}, ${id}, 'in_review', ${provider}, ${minor}, ${currency}, ${minor}, ${currency})`
})

const refunded = Effect.fnUntraced(function*(provider: Provider, payment: string, id: string | null, minor: bigint) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO payment_refunds (provider, payment_reference, refund_id, amount_minor, currency, state)
    VALUES (${provider}, ${payment}, ${id}, ${minor}, 'cny', 'succeeded')`
})

const found = ({ differences }: BillReport) =>
  differences.map((
    { hereMinor, id, kind, line: at, result, thereMinor }
  ) => [result, kind, id, at, thereMinor, hereMinor])

const refusalOf = (bytes: Uint8Array, provider: Provider = "stripe") =>
  Effect.match(check(bytes, provider), {
    onSuccess: () => "it was compared",
    onFailure: (error) => error.message
  })

/** As spreadsheets in China write them: the two characters of 订单 and so on, by hand. */
const gb18030: Readonly<Record<string, ReadonlyArray<number>>> = {
  订: [0xb6, 0xa9],
  单: [0xb5, 0xa5],
  号: [0xba, 0xc5],
  金: [0xbd, 0xf0],
  额: [0xb6, 0xee],
  状: [0xd7, 0xb4],
  态: [0xcc, 0xac],
  已: [0xd2, 0xd1],
  付: [0xb8, 0xb6],
  未: [0xce, 0xb4],
  退: [0xcd, 0xcb],
  款: [0xbf, 0xee]
}

const inGb18030 = (text: string) => Uint8Array.from([...text].flatMap((char) => gb18030[char] ?? [char.charCodeAt(0)]))

const results = (matched: number, different_amount: number, missing_here: number) => ({
  matched,
  different_amount,
  missing_here,
  missing_there: 0
})

layer(financeLayer, { excludeTestServices: true, timeout: 60_000 })("Stripe's report", (it) => {
  it.effect("is matched by the ids of payments, refunds and disputes, and summed by category", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      for (const [id, minor] of [["pi_1", 1_000n], ["pi_2", 2_000n], ["pi_4", 400n]] as const) {
        yield* paid("stripe", id, minor)
      }
      yield* paid("stripe", "pi_yen", 1_234n, "jpy")
      yield* refunded("stripe", "pi_1", "re_1", 300n)
      yield* sql`INSERT INTO payment_disputes (provider, payment_reference, dispute_id, amount_minor, currency, status, taken_minor)
        VALUES ('stripe', 'pi_2', 'du_1', 2000, 'cny', 'lost', 2000)`
      yield* sql`UPDATE payment_disputes SET taken_minor = 0`
      const text = [
        head,
        line("charge", "ch_1", "pi_1", "10.00", { fee: "0.35", net: "1.05" }),
        line("charge", "ch_2", "pi_2", "19.99"),
        line("charge", "ch_3", "pi_3", "7.00"),
        line("charge", "ch_5", "pi_yen", "1234", { currency: "jpy" }),
        line("refund", "re_1", "pi_1", "-3.00"),
        line("refund", "re_2", "pi_1", "-1.00"),
        line("dispute", "du_1", "pi_2", "-20.00"),
        line("dispute_reversal", "du_1", "pi_2", "20.00"),
        line("fee", "", "", ""),
        line("payout", "po_1", "", "", { fee: "0.00", net: "-2.00" }),
        line("crypto_airdrop", "xx_1", "", "")
      ].join("\r\n")
      for (const pieceBytes of [1, 7, 65_536]) {
        const report = yield* check(bytesOf(`\uFEFF${text}\r\n`), "stripe", pieceBytes)
        assert.deepStrictEqual([report.records, report.results], [11, results(5, 1, 2)])
        assert.deepStrictEqual(found(report), [
          ["different_amount", "payment", "pi_2", 3, 1_999n, 2_000n],
          ["missing_here", "payment", "pi_3", 4, 700n, null],
          ["missing_here", "refund", "re_2", 7, 100n, null]
        ])
        const of = (name: string) => report.categories.find(({ category }) => category === name)
        assert.deepInclude(of("payout"), { records: 1, feeMinor: 0n, netMinor: -200n, currency: "usd" })
        assert.deepInclude(of("charge"), { records: 4, feeMinor: 65n, netMinor: 405n })
        assert.deepInclude(of("crypto_airdrop"), { records: 1 })
      }
      // Of the time that the file is about, what it does not have is missing there.
      yield* sql.unsafe("ALTER TABLE cash_movements DISABLE TRIGGER keep_cash_movements")
      yield* sql`UPDATE cash_movements SET provider_at = '2026-03-05T12:00:00Z'
        WHERE payment_id = (SELECT id FROM payments WHERE payment_id = 'pi_4')`
      yield* sql.unsafe("ALTER TABLE cash_movements ENABLE TRIGGER keep_cash_movements")
      const again = yield* check(bytesOf(text))
      assert.deepStrictEqual(found(again).filter(([result]) => result === "missing_there"), [
        ["missing_there", "payment", "pi_4", null, null, 400n]
      ])
    }))

  it.effect("is refused with line and column where it is none, or says something twice", () =>
    Effect.gen(function*() {
      const file = (...lines: ReadonlyArray<string>) => bytesOf([head, ...lines].join("\n"))
      const good = line("charge", "ch_9", "pi_9", "10.00")
      const table: ReadonlyArray<readonly [Uint8Array, RegExp]> = [
        [bytesOf(""), /^the file is empty/],
        [bytesOf("a,b\n1,2\n"), /^line 1: there is no column "source_id"; there are a, b/],
        [bytesOf(`${head},fee\n`), /^line 1, column 5: there are two columns "fee"/],
        [file(good, good), /^line 3: the payment "pi_9" is in the file twice/],
        [file(good, line("charge", "ch_8", "pi_8", "ten")), /^line 3, column 10: not an amount in CNY/],
        [file(line("charge", "ch_8", "pi_8", "10.001")), /^line 2, column 10: not an amount in CNY/],
        [file(line("charge", "ch_8", "pi_8", "10.00", { currency: "yuan" })), /^line 2, column 11: not a currency/],
        [file(line("refund", "", "pi_8", "10.00")), /^line 2, column 8: not an id/],
        [file(line("refund", "re_\u0000", "pi_8", "10.00")), /^line 2, column 8: not an id/],
        [file(good.replace("12:00:00", "noon")), /^line 2, column 2: not a time/],
        [file(good.replace("2026-03-05", "2026-02-30")), /^line 2, column 2: not a time/],
        [file(good.replace("12:00:00", "25:61:00")), /^line 2, column 2: not a time/],
        [file(good.replace("2026-03-05", "0000-03-05")), /^line 2, column 2: not a time/],
        [file(`${good},more`), /^line 2.*: a record of 12 columns/],
        [file(`"${good}`), /a quote is not closed$/],
        [file(`"txn"x${good.slice(good.indexOf(","))}`), /something other than a comma follows a closing quote$/],
        [file(`a"${good}`), /a quote within a field that does not begin with one$/],
        [Uint8Array.from([...file(good), 0x0a, 0x61, 0x62, 0xff, 0x63]), /^line 3, column 3: bytes that are not utf-8/]
      ]
      for (const [bytes, message] of table) assert.match(yield* refusalOf(bytes), message)
      const long = Uint8Array.from({ length: 1_200_000 }, () => 0x61)
      assert.match(yield* refusalOf(long), /^a line or record of more than 1048576 bytes$/)
      assert.strictEqual(yield* tagOf(check(file(good))), "done")
    }))

  it.effect("is read and compared when it is long", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO payments (provider, payment_id, state, received_provider, received_minor, received_currency)
        SELECT 'stripe', 'pi_long_' || i, 'in_review', 'stripe', i, 'cny' FROM generate_series(1, 5000) AS i`
      const lines = Array.from({ length: 5_000 }, (_, index) =>
        line("charge", `ch_long_${index + 1}`, `pi_long_${index + 1}`, ((index + 1) / 100).toFixed(2)))
      let heard = 0
      const report = yield* (yield* BillCheck).check({
        provider: "stripe",
        bytes: Stream.make(bytesOf([head, ...lines].join("\n"))),
        onProgress: (records) => {
          heard = records
        }
      })
      assert.strictEqual(heard, 5_000)
      assert.strictEqual(report.results.matched, 5_000)
    }))
})

layer(financeLayer, { excludeTestServices: true, timeout: 60_000 })("a gateway's list of trades", (it) => {
  it.effect("is read in GB18030 and in UTF-8 alike, by the columns that the settings name", () =>
    Effect.gen(function*() {
      ;(yield* BooksZone).billColumns = ["trade_no=订单号", "money=金额", "refund=退款", "state=状态:已付"]
      yield* paid("epay", "2026030512", 1_000n)
      yield* paid("epay", "2026030513", 994n)
      yield* refunded("epay", "2026030512", null, 250n)
      yield* refunded("epay", "2026030512", null, 50n)
      // One that the gateway refused, before it was asked for again.
      yield* refunded("epay", "2026030513", null, 99n)
      yield* (yield* SqlClient.SqlClient)`UPDATE payment_refunds SET state = 'failed' WHERE amount_minor = 99`
      const text = [
        "订单号,金额,退款,状态",
        "'2026030512,10.00,3.00,已付",
        "2026030513,¥9.95,,已付",
        "2026030514,8.00,0.00,未付",
        '2026030515,"1,234.50",,已付'
      ].join("\n")
      for (const bytes of [bytesOf(text), inGb18030(text.replaceAll("¥", ""))]) {
        const report = yield* check(bytes, "epay", 3)
        assert.deepStrictEqual([report.records, report.leftOut, report.results], [4, 1, results(2, 1, 1)])
        assert.deepStrictEqual(found(report), [
          ["different_amount", "payment", "2026030513", 3, 995n, 994n],
          ["missing_here", "payment", "2026030515", 5, 123_450n, null]
        ])
        assert.isNull(report.from)
      }
      assert.match(yield* refusalOf(bytesOf("trade_no,money\n1,2\n"), "epay"), /no column "订单号"/)
    }))
})
