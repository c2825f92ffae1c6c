import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { judgeMetricsQuestion, type MetricsQuestion } from "../../../src/http/ops/MetricsAccess.ts"

const question = (given: Partial<Omit<MetricsQuestion, "token">> & { readonly token?: string }): MetricsQuestion => ({
  authorization: undefined,
  peer: "127.0.0.1",
  isForwarded: false,
  publicUrl: "http://127.0.0.1:8080",
  ...given,
  token: Redacted.make(given.token ?? "")
})

describe("metrics", () => {
  const table: ReadonlyArray<readonly [what: string, asked: MetricsQuestion, verdict: string]> = [
    ["a program on this machine", question({}), "allowed"],
    ["the same by IPv6", question({ peer: "::1" }), "allowed"],
    ["the same by IPv4 in IPv6", question({ peer: "::ffff:127.0.0.1" }), "allowed"],
    ["another machine", question({ peer: "192.0.2.7" }), "local"],
    ["nobody knows who", question({ peer: "" }), "local"],
    ["a proxy on this machine", question({ isForwarded: true }), "local"],
    ["a proxy that says nothing", question({ publicUrl: "https://example.com" }), "local"],
    ["the token", question({ token: "t", authorization: "Bearer t", peer: "192.0.2.7" }), "allowed"],
    ["the token, behind a proxy", question({ token: "t", authorization: "bearer t", isForwarded: true }), "allowed"],
    ["another token", question({ token: "t", authorization: "Bearer u" }), "token"],
    ["half a token", question({ token: "token", authorization: "Bearer tok" }), "token"],
    ["no token", question({ token: "t" }), "token"],
    ["an empty one", question({ token: "t", authorization: "Bearer " }), "token"]
  ]
  it.each(table)("asked for by %s", (_, asked, verdict) => {
    assert.strictEqual(judgeMetricsQuestion(asked), verdict)
  })
})
