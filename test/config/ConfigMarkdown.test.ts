import { assert, describe, it } from "@effect/vitest"
import { readComments } from "../../src/config/ConfigComments.ts"
import { CONFIG_DOCS_PATH, documentedKeys, printConfigDocs, unknownComments } from "../../src/config/ConfigMarkdown.ts"
import { settingKeys } from "../../src/config/SettingDocument.ts"
import { readText } from "../tidy/SourceFiles.ts"

const docs = readText(CONFIG_DOCS_PATH)
const shipped = readText("config.yaml")
const keys = documentedKeys(shipped)
const keysWithout = (part: "accepted" | "meaning", file = shipped) =>
  documentedKeys(file).filter((key) => key[part] === "").map(({ key }) => key)

describe("docs/configuration.md", () => {
  it("is what the schema and config.yaml print; `npm run docs` writes it", () => {
    assert.strictEqual(docs, printConfigDocs(docs, shipped), "out of date: run `npm run docs`")
    const emptied = docs.replace(/(<!-- config:keys -->)[\s\S]*(<!-- \/config:keys -->)/, "$1$2")
    assert.strictEqual(printConfigDocs(emptied, shipped), docs)
  })

  it("has a meaning for every key, which is a comment of config.yaml", () => {
    assert.deepStrictEqual(keysWithout("meaning"), [])
    assert.deepStrictEqual(keysWithout("meaning", shipped.replace(/# a larger request body.*/, "")), [
      "server.max_body_bytes"
    ])
  })

  it("says of every key what it accepts", () => {
    assert.deepStrictEqual(keysWithout("accepted"), [])
  })

  it("has every key once, and those that the browser sets", () => {
    const names = keys.map(({ key }) => key)
    assert.deepStrictEqual(names, [...new Set(names)])
    assert.deepStrictEqual(settingKeys.filter((key) => !names.includes(key)), [])
  })

  it("finds comments on keys that the schema does not know", () => {
    assert.deepStrictEqual(unknownComments(shipped), [])
    const wrong = shipped.replace("#   api_keys: []", "#   api_kees: []").replace("\nlog:\n", "\nlog:\n  colour: red\n")
    assert.deepStrictEqual(unknownComments(wrong).toSorted(), ["channels.api_kees", "log.colour"])
  })

  it("names no other default than the schema", () => {
    for (const { key, value } of keys) {
      const { otherwise = "" } = readComments(shipped).get(key) ?? {}
      if (otherwise !== "") assert.strictEqual(otherwise.replaceAll('"', ""), value?.replaceAll('"', ""), key)
    }
  })

  it("reads comments behind, far right of, and above a key, and of keys that may be added", () => {
    const comments = readComments([
      "# Of the whole file.",
      "",
      "# Upstreams.",
      "#   extra: 3          # may be",
      "#                       # for all",
      "channels:",
      "  - name: a           # its name,",
      "                      # as shown",
      "    # Two",
      "    # lines.",
      '    key: "${KEY:-}"'
    ].join("\n"))
    assert.strictEqual(comments.get("channels")?.meaning, "Upstreams.")
    assert.deepStrictEqual(comments.get("channels.extra"), { meaning: "may be for all", shipped: "", otherwise: "3" })
    assert.strictEqual(comments.get("channels.name")?.meaning, "its name, as shown")
    assert.deepStrictEqual(comments.get("channels.key"), {
      meaning: "Two lines.",
      shipped: '"${KEY:-}"',
      otherwise: ""
    })
  })
})
