/**
 * What the demo writes and prints: a configuration that loads and reaches nothing but the simulated upstream, and lines
 * that a shell takes as they are.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Redacted } from "effect"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import * as simulators from "../../simulators/index.ts"
import { curlLine, describeDemo } from "../../src/cli/DemoCommand.ts"
import { demoDocument, writeDemoConfig } from "../../src/cli/DemoConfig.ts"
import { loadSimulators, type Simulators } from "../../src/cli/DemoSimulators.ts"
import { OrderId } from "../../src/domain/Ids.ts"

const upstream = { baseUrl: "http://127.0.0.1:4010/v1", apiKey: "sk-simulated" }
const providers = {
  epay: { url: "http://127.0.0.1:4011", pid: "1001", key: "k" },
  stripe: { url: "http://127.0.0.1:4012", secretKey: "sk_test_x", webhookSecret: "whsec_x" }
}
const info = {
  baseUrl: "http://127.0.0.1:8080",
  password: "secret-word",
  rootPassword: "root-word",
  key: "sk-demo",
  usdMicros: 5_000_000n,
  configPath: "/tmp/it's a demo/config.yaml",
  orderId: OrderId.make(1n)
}

/** The words that a POSIX shell makes of a line. */
const words = (line: string): ReadonlyArray<string> =>
  spawnSync("sh", ["-c", `for word in ${line}; do printf '%s\\0' "$word"; done`], { encoding: "utf8" })
    .stdout.split("\0").slice(0, -1)

describe("Demo", () => {
  it.effect("loads the simulators when it starts, by what it says it needs of them", () =>
    Effect.gen(function*() {
      const expected: Simulators = simulators
      const loaded = yield* loadSimulators
      assert.sameMembers(Object.keys(loaded), Object.keys(expected))
    }))

  it.effect("writes a configuration that loads, with one channel: the simulator", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const { config, path } = yield* writeDemoConfig(demoDocument({ folder, port: 0, upstream, providers }), folder)
      assert.strictEqual(path, join(folder, "config.yaml"))
      assert.strictEqual(config.dataDir, join(folder, "data"))
      assert.isTrue(Option.isNone(config.database.url))
      assert.deepStrictEqual(config.channels.map((channel) => [channel.name, channel.baseUrl]), [
        ["simulator", upstream.baseUrl]
      ])
      assert.deepStrictEqual(config.channels.map((channel) => Redacted.value(channel.apiKey)), [upstream.apiKey])
      const served = Object.keys(config.channels[0]?.models ?? {})
      assert.include(served, "gpt-4o-mini")
      assert.deepStrictEqual(served, config.models.map((model) => model.id))
      assert.deepStrictEqual(config.models.map((model) => model.contextTokens), [128_000, 128_000, 200_000])
    }).pipe(Effect.provide(NodeServices.layer)))

  it("prints a curl line whose body is JSON for a streamed chat", () => {
    const [command, , url, , authorization, , , flag, body = ""] = words(curlLine(info.baseUrl, info.key))
    assert.deepStrictEqual([command, url, authorization, flag], [
      "curl",
      "http://127.0.0.1:8080/v1/chat/completions",
      "Authorization: Bearer sk-demo",
      "-d"
    ])
    assert.deepInclude(JSON.parse(body), { model: "gpt-4o-mini", stream: true })
  })

  it("prints the address, the key, the balance, and a line that shell quoting survives", () => {
    const text = describeDemo(info)
    for (
      const part of [
        info.baseUrl,
        info.password,
        info.rootPassword,
        info.key,
        "$5.00",
        curlLine(info.baseUrl, info.key)
      ]
    ) {
      assert.include(text, part)
    }
    const line = text.split("\n").at(-1) ?? ""
    assert.include(words(line), `REALMS_CONFIG=${info.configPath}`)
  })
})
