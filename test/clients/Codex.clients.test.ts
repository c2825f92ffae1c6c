/**
 * The Codex CLI with its default settings against the gateway: conversations of several turns with tools, with each of the
 * three kinds of models that it knows, and what of its requests reaches the upstream.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { TestGateway } from "../support/TestGateway.ts"
import type { Item } from "./Answers.ts"
import {
  clientGateway,
  CODEX_DEFAULT,
  listIn,
  play,
  playing,
  REASONING,
  reasoning,
  type Scene,
  text,
  UNKNOWN_TO_CODEX
} from "./ClientWorld.ts"
import { Codex, configOf } from "./Codex.ts"

const COMMAND = "echo realms-was-here"
const shellCall: Item = { type: "function_call", name: "exec_command", arguments: JSON.stringify({ cmd: COMMAND }) }
/** Codex's own models write a script that calls the tools. */
const scriptCall: Item = {
  type: "custom_tool_call",
  name: "exec",
  namespace: "functions",
  input: `text(await tools.exec_command({ cmd: "${COMMAND}" }))`
}

const codexFor = (target: Scene["target"]) =>
  Effect.acquireRelease(
    Effect.promise(() => Codex.make(target)),
    (codex) => Effect.promise(() => codex.remove())
  )

const finished = (
  run: { readonly exitCode: number | null; readonly errors: ReadonlyArray<string>; readonly log: string }
) => assert.deepStrictEqual([run.exitCode, run.errors], [0, []], run.log)

/** Types of tools, of namespaces their names. */
const toolsOf = (tools: ReadonlyArray<Readonly<Record<string, unknown>>>) =>
  tools.map((tool) => tool["type"] === "namespace" ? `namespace ${String(tool["name"])}` : String(tool["type"]))

const outputsOf = (request: Scene["requests"][number] | undefined, type: string) =>
  listIn(request, "input").filter((item) => item["type"] === type).map((item) => JSON.stringify(item["output"]))

describe("the README", () => {
  for (const name of ["README.md", "README.zh-CN.md"]) {
    it(`shows in ${name} the configuration that Codex runs with here`, () => {
      const readme = readFileSync(join(import.meta.dirname, "../..", name), "utf8")
      assert.include(readme, configOf({ baseUrl: "http://127.0.0.1:8080/v1", model: "gpt-4o-mini" }))
    })
  }
})

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("Codex", (it) => {
  const plays = playing(it)

  it.effect("holds a conversation of three turns with tools, with its default settings", () =>
    Effect.gen(function*() {
      const turns = ["First.", "Second.", "Third."].flatMap((said) => [
        [reasoning, scriptCall],
        [reasoning, text(said)]
      ])
      const { target, requests, charged } = yield* play(CODEX_DEFAULT, turns)
      const codex = yield* codexFor(target)
      const first = yield* Effect.promise(() => codex.exec("Run the command"))
      const second = yield* Effect.promise(() => codex.resume(first.threadId, "Again"))
      const third = yield* Effect.promise(() => codex.resume(first.threadId, "Once more"))
      for (const run of [first, second, third]) finished(run)
      assert.deepStrictEqual([first, second, third].map((run) => run.texts), [["First."], ["Second."], ["Third."]])

      const last = requests.at(-1)
      const outputs = outputsOf(last, "custom_tool_call_output")
      assert.lengthOf(outputs, 3)
      for (const output of outputs) assert.include(output, "realms-was-here")
      const [tools] = listIn(last, "input")
      assert.strictEqual(tools?.["type"], "additional_tools")
      assert.include(JSON.stringify(tools), '"type":"namespace","name":"functions"')
      const reasoned = listIn(last, "input").filter((item) => item["type"] === "reasoning")
      assert.lengthOf(reasoned, 5)
      for (const item of reasoned) assert.isString(item["encrypted_content"])
      yield* charged
    }))

  plays("sends one cache key for the whole conversation, which does not show the client's own", {
    model: CODEX_DEFAULT,
    turns: [[text("First.")], [text("Second.")]]
  }, function*({ target, requests }) {
    const codex = yield* codexFor(target)
    const first = yield* Effect.promise(() => codex.exec("Hello"))
    finished(yield* Effect.promise(() => codex.resume(first.threadId, "Again")))
    const [key, again] = requests.map((request) => request.body["prompt_cache_key"])
    assert.isString(key)
    assert.strictEqual(again, key)
    assert.notInclude(String(key), first.threadId)
  })

  for (const model of [REASONING, UNKNOWN_TO_CODEX]) {
    it.effect(`calls its tools with ${model}, and its web search does not reach the upstream`, () =>
      Effect.gen(function*() {
        const { target, requests, charged } = yield* play(model, [[reasoning, shellCall], [reasoning, text("Done.")]])
        const codex = yield* codexFor(target)
        const run = yield* Effect.promise(() => codex.exec("Run the command"))
        finished(run)
        assert.deepStrictEqual(run.texts, ["Done."])
        assert.include(outputsOf(requests[1], "function_call_output")[0], "realms-was-here")
        const tools = toolsOf(listIn(requests[0], "tools"))
        assert.notInclude(tools, "web_search")
        assert.include(tools, "function")
        assert.include(tools, model === REASONING ? "tool_search" : "namespace multi_agent_v1")
        yield* charged
      }))
  }
})
