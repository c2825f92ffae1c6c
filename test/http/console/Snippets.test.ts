/** Samples of calls, with ids that quote, end or comment out what they stand in. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { curlLine, snippetsOf } from "../../../src/http/console/kit/Snippets.ts"

const ids = ["gpt-4o", `it's"odd`, "$(id)", "`id`", "a\\b", "</script>"]

const called = (id: string, embeds: boolean) => ({
  publicUrl: "https://api.example.com",
  model: { id, capabilities: embeds ? ["embeddings" as const] : [] }
})

const codeOf = (id: "curl" | "python" | "node", model: string, embeds = false): string =>
  snippetsOf(called(model, embeds)).find((snippet) => snippet.id === id)?.code ?? ""

/** The words that a shell makes of a line, with one of them on each line. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  execFileSync("sh", ["-c", line.replace(/^curl/, "printf '%s\\n'")], {
    env: { REALMS_KEY: "sk-1" },
    encoding: "utf8"
  }).trim().split("\n")

describe("samples of calls", () => {
  it("send the id as it is by a shell", () => {
    for (const model of ids) {
      for (const embeds of [false, true]) {
        const words = wordsOf(codeOf("curl", model, embeds))
        assert.include(words, "Authorization: Bearer sk-1")
        assert.strictEqual(JSON.parse(words.at(-1) ?? "").model, model)
        assert.include(words[0], embeds ? "/v1/embeddings" : "/v1/chat/completions")
      }
    }
  })

  it("have a key as one word, where they are shown with it", () => {
    assert.include(wordsOf(curlLine(called("gpt-4o", false), "$it's")), "Authorization: Bearer $it's")
  })

  it("name the id as a text of the language", () => {
    for (const model of ids) {
      for (const id of ["python", "node"] as const) {
        const [, text = ""] = /model[=:] ?("(?:[^"\\]|\\.)*")/.exec(codeOf(id, model)) ?? []
        assert.strictEqual(JSON.parse(text), model, id)
        assert.include(codeOf(id, model, true), "embeddings.create")
      }
    }
  })
})
