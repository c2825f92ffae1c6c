import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  FAILURE_MESSAGE_CHARS_MAX,
  failureAround,
  failureOf,
  unknownFailure
} from "../../../src/gateway/meter/FrameFailure.ts"

type Said = readonly [
  status: number | undefined,
  code: string | undefined,
  type: string | undefined,
  message: string | undefined
]
const none = undefined

const said = (failure: ReturnType<typeof failureOf>): Said | undefined =>
  failure && [failure.status, failure.code, failure.type, failure.message]

describe("failureOf", () => {
  it.each<[string, unknown, Said | undefined]>([
    ["OpenAI", { error: { message: "m", type: "server_error", param: null, code: "c" } }, [
      none,
      "c",
      "server_error",
      "m"
    ]],
    ["OpenRouter", { error: { code: 502, message: "m", metadata: {} }, choices: [] }, [502, none, none, "m"]],
    ["OpenRouter in a choice", { choices: [{ error: { code: 429, message: "m" }, finish_reason: "error" }] }, [
      429,
      none,
      none,
      "m"
    ]],
    ["vLLM", { object: "error", message: "m", type: "BadRequestError", param: null, code: 400 }, [
      400,
      none,
      "BadRequestError",
      "m"
    ]],
    ["Anthropic", { type: "error", error: { type: "overloaded_error", message: "m" } }, [
      none,
      none,
      "overloaded_error",
      "m"
    ]],
    ["Google, in a list", [{ error: { code: 429, message: "m", status: "RESOURCE_EXHAUSTED" } }], [
      429,
      none,
      "RESOURCE_EXHAUSTED",
      "m"
    ]],
    ["text", { error: "m" }, [none, none, none, "m"]],
    ["text with a status", { statusCode: 500, message: "Internal server error", error: "m" }, [500, none, none, "m"]],
    ["an error in an error", { error: { error: { message: "m", code: "insufficient_quota" } } }, [
      none,
      "insufficient_quota",
      none,
      "m"
    ]],
    ["a message that is an object", { error: { message: { message: "m", code: "1302" } } }, [none, "1302", none, "m"]],
    ["a number for a code", { error: { code: 1302, message: "m" } }, [none, "1302", none, "m"]],
    ["a status as text", { error: { code: "429", message: "m" } }, [429, none, none, "m"]],
    ["a list of details", { error: { detail: [{ msg: "a", loc: [] }, { msg: "b" }] } }, [none, none, none, "a; b"]],
    ["true", { error: true, message: "m" }, [none, none, none, "m"]],
    ["a response that failed", { response: { status: "failed", error: { code: "server_error", message: "m" } } }, [
      none,
      "server_error",
      none,
      "m"
    ]],
    ["a response that failed without words", { response: { status: "failed", error: null } }, [none, none, none, none]],
    ["an event of /v1/responses", { type: "error", code: "c", message: "m", param: null, sequence_number: 3 }, [
      none,
      "c",
      none,
      "m"
    ]],
    ["an end by error", { choices: [{ finish_reason: "error" }] }, [none, none, none, none]],
    ["a list of errors", { error: { errors: [{ message: "m", code: 7003 }] } }, [none, "7003", none, "m"]],
    ["an error in a section", { code: 0, data: { error: { message: "m", code: 400 } } }, [400, none, none, "m"]],
    ["a message without success", { success: false, message: "m" }, [none, none, none, "m"]],
    ["an error of nulls", { error: { message: "", type: null, code: 0, details: [] } }, undefined],
    ["no failure", { choices: [{ finish_reason: "stop", delta: {} }], error: null }, undefined],
    ["empty errors", { error: {}, choices: [{ error: "" }, { delta: { error: [] } }] }, undefined],
    ["not an object", "error", undefined]
  ])("reads %s", (_, json, expected) => {
    assert.deepStrictEqual(said(failureOf(json)), expected)
  })

  it("cuts a message that is very long", () => {
    const failure = failureOf({ error: { message: "x".repeat(100_000) } })
    assert.strictEqual(failure?.message?.length, FAILURE_MESSAGE_CHARS_MAX)
  })

  it.prop("never fails, whatever the value", [Schema.Json], ([json]) => {
    assert.isDefined(failureAround(json))
    assert.isDefined(failureOf({ error: json, choices: json, response: json }) ?? unknownFailure)
  })
})

describe("failureAround", () => {
  it.each<[string, unknown, Said]>([
    ["FastAPI", { detail: "Not found" }, [none, none, none, "Not found"]],
    ["MiniMax", { choices: null, base_resp: { status_code: 1008, status_msg: "insufficient balance" } }, [
      none,
      "1008",
      none,
      "insufficient balance"
    ]],
    ["SiliconFlow", { code: 20012, message: "Model does not exist", data: null }, [
      none,
      "20012",
      none,
      "Model does not exist"
    ]],
    ["nothing", {}, [none, none, none, none]],
    ["null", null, [none, none, none, none]]
  ])("finds the words of %s", (_, json, expected) => {
    assert.deepStrictEqual(said(failureAround(json)), expected)
  })
})
