/** Samples of calls, with ids that quote, end or comment out what they stand in. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { snippetsOf } from "../../../src/http/console/kit/Snippets.ts"

const ids = ["gpt-4o", `it's"odd`, "$(id)", "`id`", "a\\b", "</script>"]

const codeOf = (id: "curl" | "python" | "node", model: string, embeds = false): string =>
  snippetsOf({ publicUrl: "https://api.example.com", model, embeds }).find((snippet) => snippet.id === id)?.code ?? ""

describe("samples of calls", () => {
  it("send the id as it is by a shell", () => {
    for (const model of ids) {
      for (const embeds of [false, true]) {
        const line = codeOf("curl", model, embeds).replace(/^curl/, "printf '%s\\n'")
        const words = execFileSync("sh", ["-c", line], { env: { REALMS_KEY: "sk-1" }, encoding: "utf8" }).trim().split(
          "\n"
        )
        assert.include(words, "Authorization: Bearer sk-1")
        assert.strictEqual(JSON.parse(words.at(-1) ?? "").model, model)
        assert.include(words[0], embeds ? "/v1/embeddings" : "/v1/chat/completions")
      }
    }
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
