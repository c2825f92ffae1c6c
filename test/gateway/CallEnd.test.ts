/**
 * The rule book of how a call ends, as a table: what is charged, which status its record has, and what the client gets.
 */
import { assert, describe, it } from "@effect/vitest"
import { decideEnd, type HowEnded } from "../../src/gateway/CallEnd.ts"

type Row = readonly [HowEnded, string, string | null, number, string | null, string]

/** Nothing of these matters when the client had left before. */
const clientLeft = (["complete", "client_gone", "cut", "too_large", "no_room", "insufficient_quota"] as const).map(
  (how): Row => [how, "sent output left", "reported", 499, "client_gone", "none"]
)

// how               seen                      basis      status reason                reply
const table: ReadonlyArray<Row> = [
  ...clientLeft,
  ["complete", "sent output", "reported", 200, null, "rest"],
  ["complete", "sent", "reported", 200, null, "rest"],
  ["client_gone", "", null, 499, "client_gone", "none"],
  ["client_gone", "sent", "reported", 499, "client_gone", "none"],
  ["cut", "sent output", "reported", 200, "truncated", "server_is_overloaded"],
  ["cut", "sent", null, 502, "upstream_error", "upstream_error"],
  ["failed", "sent output", "reported", 200, "truncated", "server_is_overloaded"],
  ["failed", "sent", null, 502, "upstream_error", "upstream_error"],
  ["limit_ignored", "sent output", "limit", 200, "limit_ignored", "server_is_overloaded"],
  ["too_large", "sent output", "expected", 502, "answer_too_large", "answer_too_large"],
  ["no_room", "sent output", null, 503, "answers_full", "service_unavailable"],
  ["insufficient_quota", "sent output", "expected", 200, "insufficient_quota", "insufficient_quota"],
  ["insufficient_quota", "sent", null, 402, "insufficient_quota", "insufficient_quota"],
  ["key_limit_exceeded", "sent output", "expected", 200, "key_limit_exceeded", "key_limit_exceeded"],
  ["key_limit_exceeded", "sent", null, 403, "key_limit_exceeded", "key_limit_exceeded"],
  ["extension_unavailable", "sent output", "expected", 200, "service_unavailable", "service_unavailable"],
  ["service_unavailable", "sent output", "expected", 200, "service_unavailable", "service_unavailable"],
  ["service_unavailable", "sent", null, 503, "service_unavailable", "service_unavailable"],
  ["lease_lost", "sent output", "expected", 200, "lease_lost", "service_unavailable"],
  ["lease_lost", "sent output left", "expected", 200, "lease_lost", "service_unavailable"],
  ["lease_lost", "sent", null, 503, "lease_lost", "service_unavailable"]
]

describe("decideEnd", () => {
  for (const [how, seen, basis, status, reason, reply] of table) {
    it(`${how}${seen === "" ? "" : ` (${seen})`}: ${basis ?? "nothing"} charged, ${reply}`, () => {
      const words = seen.split(" ")
      const end = decideEnd(how, {
        sent: words.includes("sent"),
        output: words.includes("output"),
        clientLeft: words.includes("left")
      })
      assert.deepStrictEqual(
        [end.basis, end.status, end.reason, typeof end.reply === "string" ? end.reply : end.reply.code],
        [basis, status, reason, reply]
      )
    })
  }
})
