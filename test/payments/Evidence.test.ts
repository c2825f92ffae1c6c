/** What is kept of a provider's message, and what is not. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { EVIDENCE_CHARACTERS_MAX, evidenceOfJson, evidenceOfParams } from "../../src/payments/Evidence.ts"

describe("what is kept of a message", () => {
  it("of Stripe's objects what is about money, and no card, address or secret", () => {
    const envelope = { id: "evt_1", type: "charge.dispute.created", created: 1_700_000_000, livemode: true }
    const dispute = {
      id: "du_1",
      amount: 2_000,
      currency: "cny",
      status: "needs_response",
      reason: "product_not_received",
      payment_intent: "pi_1"
    }
    const event = {
      ...envelope,
      request: { idempotency_key: "k" },
      data: {
        object: {
          ...dispute,
          client_secret: "pi_1_secret_x",
          billing_details: { email: "ada@example.com" },
          payment_method_details: { card: { last4: "4242" } },
          evidence: { customer_name: "Ada" },
          evidence_details: { due_by: 1_800_000_000, has_evidence: false },
          balance_transactions: [{ amount: -2_000, currency: "cny", fee: 1_500, description: "x" }],
          metadata: { realms_reference: "topup_1_a", reference: "topup_1_a", address: "somewhere" }
        }
      }
    }
    assert.deepStrictEqual<unknown>(evidenceOfJson(event), {
      ...envelope,
      data: {
        object: {
          ...dispute,
          evidence_details: { due_by: 1_800_000_000, has_evidence: false },
          balance_transactions: [{ amount: -2_000, currency: "cny", fee: 1_500 }],
          metadata: { realms_reference: "topup_1_a", reference: "topup_1_a" }
        }
      }
    })
  })

  it("of EPay's parameters all but the signature and the key", () => {
    const params = [["pid", "1001"], ["money", "9.94"], ["sign", "abc"], ["sign_type", "MD5"], [
      "key",
      "secret"
    ]] as const
    assert.deepStrictEqual<unknown>(evidenceOfParams(params), { pid: "1001", money: "9.94" })
  })

  it("says where a message was cut", () => {
    const long = Array.from({ length: 60 }, (_, index) => [`name${index}`, "x".repeat(600)] as const)
    const kept = evidenceOfParams(long)
    assert.isTrue(kept["cut"])
    assert.match(String(kept["name0"]), /^x{500}…$/)
  })

  const Json = Schema.fromJsonString(Schema.Unknown)
  it.prop("is bounded, and is JSON, whatever comes", [Schema.String, Schema.Array(Schema.String)], ([text, parts]) => {
    const json: unknown = {
      id: text.repeat(100),
      data: parts.map((part) => ({ status: part.repeat(50), metadata: { realms_x: part, [part]: part } })),
      metadata: Object.fromEntries(parts.map((part) => [`realms_${part}`, part.repeat(200)]))
    }
    const evidence = evidenceOfJson(json)
    const encoded = Schema.encodeSync(Json)(evidence)
    assert.isAtMost(encoded.length, EVIDENCE_CHARACTERS_MAX)
    assert.deepStrictEqual(JSON.parse(encoded), evidence)
  }, { arbitrary: { runs: 100 } })

  it.each([null, 7, "text", [], undefined])("of %j is nothing", (json) => {
    assert.deepStrictEqual<unknown>(evidenceOfJson(json), {})
  })

  it("does not follow a document of any depth", () => {
    const deep: unknown = JSON.parse(`${'{"data":'.repeat(5_000)}1${"}".repeat(5_000)}`)
    assert.isBelow(JSON.stringify(evidenceOfJson(deep)).length, 200)
  })
})
