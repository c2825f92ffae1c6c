import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Option, Redacted } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { AppConfig, load, publicUrlFor, testConfig } from "../../src/config/Config.ts"
import type { Environment } from "../../src/config/ConfigFile.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"
import { miniPrice } from "../support/MiniPrice.ts"

const root = resolve(import.meta.dirname, "../..")

/** Loads a file with this content from a scratch folder. */
const loadText = (text: string, env: Environment = {}) =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "realms-config-"))),
    (cwd) => Effect.promise(() => writeFile(join(cwd, "config.yaml"), text)).pipe(Effect.andThen(load({ cwd, env }))),
    (cwd) => Effect.promise(() => rm(cwd, { recursive: true }))
  )

const messageOf = (text: string, env: Environment = {}) =>
  Effect.map(Effect.flip(loadText(text, env)), (error) => error.message)

const model = (price: string) => `models: [{ id: m, input_usd_per_1m: ${price}, output_usd_per_1m: "1" }]`

describe("Config", () => {
  it.effect("ships a config.yaml that loads with no variable set", () =>
    Effect.gen(function*() {
      const config = yield* load({ cwd: root, env: {} })
      assert.strictEqual(config.server.publicUrl, "http://127.0.0.1:8080")
      assert.strictEqual(config.dataDir, join(root, "data"))
      assert.strictEqual(config.channels[0]?.name, "openai")
      assert.strictEqual(Redacted.value(config.channels[0]?.apiKey ?? Redacted.make("unset")), "")
      assert.deepStrictEqual(config.models, [{
        ...defaultTerms,
        vendor: "OpenAI",
        capabilities: ["tools", "structured_output", "vision"],
        id: "gpt-4o-mini",
        price: miniPrice,
        contextTokens: 128_000,
        maxOutputTokens: 16_384,
        defaultOutputTokens: 4_096,
        imageTokensMax: 48_169
      }])
      assert.deepInclude(config.channels[0], {
        ...defaultChannelTerms,
        storesResponses: true,
        knownFields: ["stream_options", "max_tool_calls", "metadata", "service_tier"]
      })
      assert.strictEqual(config.plans[0]?.priceFen, 1200n)
      assert.strictEqual(config.plans[0]?.limit30dMicros, 80_000_000n)
    }))

  it.effect("the shipped file says what the defaults say", () =>
    Effect.gen(function*() {
      const shipped = yield* load({ cwd: root, env: {} })
      const defaults = testConfig()
      assert.deepStrictEqual(shipped.server, defaults.server)
      assert.deepStrictEqual(shipped.billing, defaults.billing)
      assert.deepStrictEqual(shipped.registration, defaults.registration)
      assert.strictEqual(JSON.stringify(shipped.payment), JSON.stringify(defaults.payment))
      assert.deepStrictEqual(shipped.log, defaults.log)
    }))

  it.effect("is all defaults without a file, and an error when REALMS_CONFIG names none", () =>
    Effect.gen(function*() {
      const cwd = join(tmpdir(), "realms-config-absent")
      const config = yield* load({ cwd, env: {} })
      assert.strictEqual(config.server.port, 8080)
      assert.strictEqual(config.dataDir, join(cwd, "data"))
      assert.isTrue(Option.isNone(config.database.url))
      const error = yield* Effect.flip(load({ cwd, env: { REALMS_CONFIG: "other.yaml" } }))
      assert.strictEqual(error.path, join(cwd, "other.yaml"))
      assert.include(error.message, "cannot be read")
    }))

  it.effect("substitutes variables inside texts, never into structure", () =>
    Effect.gen(function*() {
      const config = yield* loadText(
        `server: { public_url: "https://\${NAME}.example.com/", port: "\${LISTEN:-9090}" }\n` +
          `payment: { epay: { partner_id: "\${PID}" } }`,
        { NAME: "api", PID: "{ evil: true }" }
      )
      assert.strictEqual(config.server.publicUrl, "https://api.example.com")
      assert.strictEqual(config.server.port, 9090)
      assert.strictEqual(config.payment.epay.partnerId, "{ evil: true }")
    }))

  it.effect("an unset variable is an error under its path, but only disables a channel", () =>
    Effect.gen(function*() {
      const text = `channels: [{ name: a, base_url: "http://up/v1", api_key: "\${UNSET_KEY}" }]`
      const config = yield* loadText(text)
      assert.strictEqual(config.channels[0] && Redacted.value(config.channels[0].apiKey), "")
      const message = yield* messageOf(`payment: { stripe: { secret_key: "\${UNSET_KEY}" } }`)
      assert.include(message, "payment.stripe.secret_key: environment variable UNSET_KEY is not set")
      assert.include(yield* messageOf(`server: { host: "\${1x}" }`), "server.host: malformed substitution")
    }))

  it.effect("the environment wins over the file, and is named when it is wrong", () =>
    Effect.gen(function*() {
      const env = { HOST: "0.0.0.0", PORT: "9000", DATABASE_URL: "postgres://u:p@h/d", REALMS_MASTER_KEY: "k" }
      const config = yield* loadText(`server: { host: 10.0.0.1, port: 1 }\ndatabase: { url: "\${NOT_SET}" }`, env)
      assert.strictEqual(config.server.host, "0.0.0.0")
      assert.strictEqual(config.server.port, 9000)
      assert.strictEqual(config.server.publicUrl, "http://127.0.0.1:9000")
      assert.strictEqual(publicUrlFor(config.server, 1234), "http://127.0.0.1:1234")
      assert.strictEqual(Option.map(config.database.url, Redacted.value).pipe(Option.getOrThrow), "postgres://u:p@h/d")
      assert.isTrue(Option.isSome(config.masterKey))
      const message = yield* messageOf("", { PORT: "http" })
      assert.include(message, "server.port (from PORT): expected an integer from 0 to 65535")
    }))

  it.effect("takes trusted proxies as a list, and as a text with commas", () =>
    Effect.gen(function*() {
      const proxies = ["10.0.0.0/8", "127.0.0.1"]
      for (const written of [`[10.0.0.0/8, 127.0.0.1]`, `"10.0.0.0/8, 127.0.0.1"`, `"\${PROXIES}"`]) {
        const { server } = yield* loadText(`server: { trusted_proxies: ${written} }`, {
          PROXIES: "10.0.0.0/8,127.0.0.1,"
        })
        assert.deepStrictEqual(server.trustedProxies, proxies, written)
      }
      assert.deepStrictEqual((yield* loadText(`server: { trusted_proxies: "" }`)).server.trustedProxies, [])
      for (const written of [`[127.0.0.1, x]`, `"127.0.0.1, x"`]) {
        assert.include(
          yield* messageOf(`server: { trusted_proxies: ${written} }`),
          "server.trusted_proxies[1]: expected an IP address or a range",
          written
        )
      }
    }))

  it.effect("reports every problem at once, each under its path", () =>
    Effect.gen(function*() {
      const message = yield* messageOf(`
server: { port: 99999, hots: a }
billing:
  multiplier: abc
  minTopupCny: "1"
registration: { mode: ajar }
payments: {}
channels:
  - { base_url: "ftp://x", models: [] }
database: { url: "mysql://secret-password@h" }
`)
      const lines = message.split("\n").slice(1).map((line) => line.trim())
      assert.sameMembers(lines, [
        'server.hots: unknown key, did you mean "host"?',
        "server.port: expected an integer from 0 to 65535, got 99999",
        "billing.multiplier: expected a decimal string of at most 6 decimals, from 0 to 1000, got some other text",
        'billing.minTopupCny: unknown key, did you mean "min_topup_cny"?',
        "registration.mode: expected open or invite or closed, got some other text",
        'payments: unknown key, did you mean "payment"?',
        "channels[0].name: is required",
        "channels[0].base_url: expected an http:// or https:// URL, got some other text",
        "channels[0].models: expected a mapping (key: value)",
        "database.url: expected a postgres:// URL, or nothing, got some other text"
      ])
    }))

  it.effect("never repeats a secret or prints one", () =>
    Effect.gen(function*() {
      const message = yield* messageOf(`database: { url: "\${DB}" }\nserver: { port: "\${DB}" }`, { DB: "hunter2" })
      assert.notInclude(message, "hunter2")
      const config = yield* loadText(`payment: { epay: { key: hunter2 } }`)
      assert.notInclude(JSON.stringify(config.payment), "hunter2")
      assert.strictEqual(Redacted.value(config.payment.epay.key), "hunter2")
    }))

  it.effect("takes prices exactly, as text or as YAML numbers", () =>
    Effect.gen(function*() {
      for (const price of [`"0.000001"`, "0.000001"]) {
        const config = yield* loadText(model(price))
        assert.strictEqual(config.models[0]?.price.inputMicrosPer1m, 1n)
        assert.strictEqual(config.models[0]?.price.cachedInputMicrosPer1m, 1n)
      }
      for (const price of [`"0.0000001"`, "0.0000001", "-1", `"1e3"`, `""`, "true", "[1]"]) {
        assert.include(yield* messageOf(model(price)), "models[0].input_usd_per_1m: expected a decimal string", price)
      }
    }))

  it.effect("an empty section or key is as good as none, an unknown one is still unknown", () =>
    Effect.gen(function*() {
      const config = yield* loadText("billing:\nserver:\n  host:\nchannels:\n")
      assert.strictEqual(config.server.host, "127.0.0.1")
      assert.include(yield* messageOf("bilings:\n"), 'did you mean "billing"?')
    }))

  it.effect("refuses names used twice and amounts out of order", () =>
    Effect.gen(function*() {
      const channel = `{ name: a, base_url: "http://up" }`
      assert.include(
        yield* messageOf(`channels: [${channel}, ${channel}]`),
        "channels[1].name: is the same as channels[0]"
      )
      assert.include(
        yield* messageOf(`billing: { min_topup_cny: "5", max_topup_cny: "4" }`),
        "billing.max_topup_cny: expected at least billing.min_topup_cny"
      )
    }))

  it.effect("refuses a real payment provider behind a loopback address", () =>
    Effect.gen(function*() {
      const epay = (gateway: string) => `payment: { epay: { enabled: true, gateway: "${gateway}" } }\n`
      const stripe = (base: string) => `payment: { stripe: { enabled: true, api_base: "${base}" } }\n`
      const loopbacks = ["", `server: { public_url: "http://localhost:1" }`, `server: { host: 0.0.0.0 }`]
      for (const server of loopbacks) {
        assert.include(yield* messageOf(epay("https://pay.example") + server), "payment.epay.enabled: cannot be true")
        assert.include(yield* messageOf(stripe("") + server), "payment.stripe.enabled: cannot be true")
        yield* loadText(epay("http://127.0.0.2:9") + server)
        yield* loadText(stripe("http://[::1]:9") + server)
      }
      yield* loadText(epay("https://pay.example") + `server: { public_url: "https://realms.example" }`)
    }))

  it.effect("refuses an EPay gateway at an http address that is not loopback, switched on or off", () =>
    Effect.gen(function*() {
      const text = (gateway: string, enabled: boolean) =>
        `payment: { epay: { enabled: ${enabled}, gateway: "${gateway}" } }\n` +
        `server: { public_url: "https://realms.example" }`
      for (const enabled of [true, false]) {
        for (const host of ["pay.example", "127.0.0.1.example", "localhost.example", "10.0.0.1", "[2001:db8::1]"]) {
          assert.include(
            yield* messageOf(text(`http://${host}`, enabled)),
            "payment.epay.gateway: expected an https:// address",
            host
          )
        }
        for (
          const gateway of ["https://pay.example", "http://localhost:9", "http://127.0.0.2:9", "http://[::1]:9", ""]
        ) {
          yield* loadText(text(gateway, enabled))
        }
      }
    }))

  it.effect("the service says, on standard error, which channels stay disabled for want of a key", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const print = (...parts: ReadonlyArray<unknown>) => void lines.push(parts.map(String).join(" "))
      const captured: Console.Console = { ...globalThis.console, error: print }
      const config = yield* AppConfig.pipe(
        Effect.provide(AppConfig.layerOfServer),
        Effect.provideService(Console.Console, captured)
      )
      const keyless = config.channels.filter((channel) => Redacted.value(channel.apiKey) === "")
      const said = lines.filter((line) => line.includes("has no api_key"))
      assert.strictEqual(said.length, keyless.length)
      for (const [index, { name }] of keyless.entries()) assert.include(said[index], name)
    }))

  it.effect("says where the YAML is broken", () =>
    Effect.gen(function*() {
      assert.include(yield* messageOf("server: { port: 1"), "is not valid YAML")
      assert.include(yield* messageOf("- a\n"), "the file: expected a mapping")
    }))
})
