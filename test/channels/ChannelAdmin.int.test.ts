/**
 * Channels made, changed and switched off by root: what is refused, what is recorded, who is told, and that the key is seen by
 * nobody but the upstream.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Queue, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { writeConfigModels } from "../../src/catalog/ConfigModels.ts"
import { ChannelAdmin, CHANNELS_MAX } from "../../src/channels/ChannelAdmin.ts"
import { ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import type { ChannelInput } from "../../src/channels/ChannelInput.ts"
import { ChannelKeyAdmin } from "../../src/channels/ChannelKeyAdmin.ts"
import { writeConfigChannels } from "../../src/channels/Channels.ts"
import { FAILURES_TO_OPEN, OPEN_MS_MIN } from "../../src/channels/CircuitBreaker.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { channelDefaults } from "../support/ChannelDefaults.ts"
import { hear, say } from "../support/Heard.ts"
import { logsTo } from "../support/LogLines.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const CANARY = "sk-canary-4711"

const config = testConfig({
  server: { link_local_hosts_allowed: ["169.254.7.7"] },
  models: ["mini", "maxi"].map((id) => ({ id, input_usd_per_1m: "1", output_usd_per_1m: "1" })),
  channels: [
    {
      name: "declared",
      base_url: "https://user:pass@declared.example/v1?api-version=1&key=pass",
      api_key: CANARY,
      models: { mini: "m" }
    },
    { name: "keyless", base_url: "https://keyless.example/v1", models: { mini: "m" } }
  ]
}, { REALMS_MASTER_KEY: "a master key of thirty-two letters" })

const Config = AppConfig.layerOf(config)

const logged: Array<string> = []
const CapturingLogger = Layer.mergeAll(
  logsTo(logged),
  Layer.succeed(References.MinimumLogLevel, "All")
)

const TestLayer = Layer.mergeAll(ChannelAdmin.layer, ChannelKeyAdmin.layer, ChannelHealth.layer).pipe(
  Layer.provideMerge(Layer.effectDiscard(Effect.andThen(writeConfigModels, writeConfigChannels))),
  Layer.provideMerge(SecretBox.layer),
  Layer.provideMerge(Layer.mergeAll(Config, NodeServices.layer, Notifications.layer)),
  Layer.provideMerge(TestDatabase.layer),
  Layer.provideMerge(CapturingLogger)
)

const noChannel = ChannelId.make(999_999n)
const ada = UserId.make(1n)
const actor: Actor = { name: "user:1", userId: ada, address: "127.0.0.1" }

const input = (name: string, more: Partial<ChannelInput> = {}): ChannelInput => ({
  ...defaultChannelTerms,
  name,
  baseUrl: "https://upstream.example/v1",
  apiKeys: [Redacted.make(CANARY)],
  priority: 0,
  weight: 1,
  models: { mini: "upstream-mini" },
  ...more
})

const unchanged = { apiKeys: [] }

const recorded = (id: ChannelId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql<{ action: string; actor: string; before: unknown; after: unknown }>`
      SELECT action, actor, before, after FROM audit_log WHERE target = ${`channel:${id}`} ORDER BY id`)

describe("ChannelAdmin", () => {
  layer(TestLayer, { excludeTestServices: true })((it) => {
    it.effect("makes a channel with a sealed key, changes it, and says so to everybody and in the log", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const sql = yield* SqlClient.SqlClient
        const heard = yield* hear
        const id = yield* admin.create(actor, input(" made ", { baseUrl: " https://upstream.example/v1//?v=1 " }))
        const made = yield* admin.get(id)
        assert.deepInclude(made, {
          name: "made",
          baseUrl: "https://upstream.example/v1?v=1",
          declared: false,
          hasKey: true,
          disabledAt: null,
          health: "closed",
          models: { mini: "upstream-mini" }
        })
        const same = { baseUrl: made.baseUrl }
        const change = { id, revision: made.revision, input: input("made", { ...unchanged, ...same, weight: 5 }) }
        yield* admin.edit(actor, change)
        const edited = yield* admin.get(id)
        assert.strictEqual(edited.weight, 5)
        assert.isTrue(edited.hasKey)
        assert.isAbove(Number(edited.revision), Number(made.revision))
        // Nothing different, nothing recorded.
        yield* admin.edit(actor, { ...change, revision: edited.revision })
        assert.strictEqual((yield* admin.get(id)).revision, edited.revision)
        yield* admin.edit(actor, {
          id,
          revision: edited.revision,
          input: input("made", { ...same, apiKeys: [Redacted.make(`${CANARY}-new`)], weight: 5, models: { maxi: "x" } })
        })
        yield* admin.disable(actor, id)
        yield* admin.disable(actor, id)
        assert.isNotNull((yield* admin.get(id)).disabledAt)
        yield* admin.enable(actor, id)
        const rows = yield* recorded(id)
        assert.deepStrictEqual(rows.map(({ action, after, before }) => ({ action, after, before })), [
          {
            action: "channel.created",
            before: null,
            after: {
              name: "made",
              base_url: "https://upstream.example/v1?v=1",
              priority: 0,
              weight: 1,
              ...channelDefaults,
              models: { mini: "upstream-mini" },
              api_key: "(set)"
            }
          },
          { action: "channel.edited", before: { weight: 1 }, after: { weight: 5 } },
          {
            action: "channel.edited",
            before: { models: { mini: "upstream-mini" }, api_key: "(set)" },
            after: { models: { maxi: "x" }, api_key: "(set)" }
          },
          { action: "channel.disabled", before: { disabled: false }, after: { disabled: true } },
          { action: "channel.enabled", before: { disabled: true }, after: { disabled: false } }
        ])
        assert.isTrue(rows.every((row) => row.actor === "user:1"))
        // One for each change; the last to come is the last that was sent.
        yield* say("settings", "sent")
        const messages: Array<string> = []
        while (messages.at(-1) !== "settings sent") messages.push(yield* Queue.take(heard))
        assert.lengthOf(messages.filter((message) => message === `channels ${id}`), rows.length)
        const endpoint = yield* (yield* ChannelKeyAdmin).endpoint(id, "maxi")
        assert.strictEqual(Redacted.value(endpoint.apiKey), `${CANARY}-new`)
        const [dump] = yield* sql<{ text: string }>`
          SELECT (SELECT string_agg(c::text, '') FROM channels c) || (SELECT string_agg(a::text, '') FROM audit_log a) ||
            (SELECT string_agg(k::text, '') FROM channel_keys k)
            AS text`
        assert.notInclude(dump?.text, "canary")
        assert.notInclude(dump?.text, Buffer.from(CANARY).toString("hex"))
        assert.notInclude(logged.join("\n"), "canary")
      }))

    it.effect("refuses what no channel can be, all of it at once, and writes nothing", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const taken = yield* admin.create(actor, input("taken"))
        const other = yield* admin.get(yield* admin.create(actor, input("other")))
        const before = yield* admin.list
        const problemsOf = (bad: ChannelInput) =>
          Effect.map(Effect.flip(admin.create(actor, bad)), (error) =>
            error._tag === "ChannelRefused"
              ? error.problems.map(({ field, reason }) => `${field} ${reason}`)
              : [error._tag])
        const table: ReadonlyArray<readonly [bad: Partial<ChannelInput>, problems: ReadonlyArray<string>]> = [
          [{ name: " " }, ["name length"]],
          [{ name: "a".repeat(101) }, ["name length"]],
          [{ name: "a\nb" }, ["name length"]],
          [{ name: "taken" }, ["name taken"]],
          [{ name: "declared" }, ["name taken"]],
          [{ baseUrl: "upstream.example" }, ["base_url url"]],
          [{ baseUrl: "https://a:b@upstream.example" }, ["base_url credentials"]],
          [{ baseUrl: "https://upstream.example?api-version=1&Key=1" }, ["base_url secret"]],
          [{ baseUrl: "https://upstream.example?api-version=1#x" }, ["base_url fragment"]],
          [{ baseUrl: "http://169.254.169.254/v1" }, ["base_url forbidden"]],
          [{ baseUrl: "http://[::ffff:169.254.7.8]/v1" }, ["base_url forbidden"]],
          [{ apiKeys: [Redacted.make("  ")] }, ["api_key missing"]],
          [{ apiKeys: [Redacted.make("a b")] }, ["api_key characters"]],
          [{ apiKeys: [Redacted.make("a\r\nx-evil: 1")] }, ["api_key characters"]],
          [{ apiKeys: [Redacted.make("密钥")] }, ["api_key characters"]],
          [{ priority: -1 }, ["priority range"]],
          [{ priority: 1.5 }, ["priority range"]],
          [{ weight: 1_000_001 }, ["weight range"]],
          [{ weight: NaN }, ["weight range"]],
          [{ firstByteTimeoutSeconds: 0 }, ["firstByteTimeoutSeconds range"]],
          [{ idleTimeoutSeconds: 86_401 }, ["idleTimeoutSeconds range"]],
          [{ inputOverheadTokens: -1 }, ["inputOverheadTokens range"]],
          [{ maxConnections: 1.5 }, ["maxConnections range"]],
          [{ maxConnections: 65_537, idleTimeoutSeconds: NaN }, [
            "idleTimeoutSeconds range",
            "maxConnections range"
          ]],
          [{ models: { nope: "x" } }, ["models unknown"]],
          [{ models: { mini: "" } }, ["models upstream"]],
          [{ models: Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`m${at}`, "x"])) }, ["models many"]],
          [
            { name: "", baseUrl: "x", apiKeys: [Redacted.make("")], models: { nope: "" } },
            ["name length", "base_url url", "api_key missing", "models unknown", "models upstream"]
          ]
        ]
        for (const [bad, problems] of table) {
          assert.deepStrictEqual(yield* problemsOf(input("fine", bad)), problems, JSON.stringify(bad))
        }
        const renamed = yield* Effect.flip(
          admin.edit(actor, { id: other.id, revision: other.revision, input: input("taken", unchanged) })
        )
        assert.deepInclude(renamed, { problems: [{ field: "name", reason: "taken" }] })
        assert.deepStrictEqual(yield* admin.list, before)
        assert.lengthOf(yield* recorded(taken), 1)
        const allowed = yield* admin.create(actor, input("allowed", { baseUrl: "http://169.254.7.7/v1" }))
        assert.strictEqual((yield* admin.get(allowed)).baseUrl, "http://169.254.7.7/v1")
      }))

    it.effect("tells the second of two who change the same channel, and keeps what the first wrote", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const id = yield* admin.create(actor, input("contested"))
        const { revision } = yield* admin.get(id)
        const edits = yield* Effect.all(
          [1, 2, 3].map((weight) =>
            Effect.result(
              admin.edit(actor, { id, revision, input: input("contested", { ...unchanged, weight: weight + 10 }) })
            )
          ),
          { concurrency: 3 }
        )
        const won = edits.flatMap((edit, at) => edit._tag === "Success" ? [at + 11] : [])
        const lost = edits.flatMap((edit) => edit._tag === "Failure" ? [edit.failure._tag] : [])
        assert.deepStrictEqual(lost, ["ChangedMeanwhile", "ChangedMeanwhile"])
        assert.deepStrictEqual([(yield* admin.get(id)).weight], won)
        assert.lengthOf(yield* recorded(id), 2)
      }))

    it.effect("leaves declared channels alone, and shows them without their secrets", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const all = yield* admin.list
        const declared = all.find(({ name }) => name === "declared")
        const keyless = all.find(({ name }) => name === "keyless")
        if (declared === undefined || keyless === undefined) return yield* Effect.die(new Error("not listed"))
        assert.deepInclude(declared, {
          declared: true,
          hasKey: true,
          baseUrl: "https://declared.example/v1?api-version=1"
        })
        assert.deepInclude(keyless, { declared: true, hasKey: false })
        assert.isNotNull(keyless.disabledAt)
        assert.notInclude(
          JSON.stringify(all, (_, value) => typeof value === "bigint" ? String(value) : value),
          "canary"
        )
        const { id, revision } = declared
        const attempts = [
          admin.edit(actor, { id, revision, input: input("mine") }),
          admin.disable(actor, id),
          admin.enable(actor, keyless.id)
        ]
        for (const attempt of attempts) {
          assert.strictEqual((yield* Effect.flip(attempt))._tag, "ChannelConfigManaged")
        }
        assert.deepStrictEqual(yield* admin.get(id), declared)
        assert.lengthOf(yield* recorded(id), 0)
        const keys = yield* ChannelKeyAdmin
        assert.strictEqual(Redacted.value((yield* keys.endpoint(id, "mini")).apiKey), CANARY)
        assert.deepInclude(yield* Effect.flip(keys.endpoint(keyless.id, "mini")), { reason: "none" })
        assert.strictEqual((yield* Effect.flip(keys.endpoint(id, "maxi")))._tag, "ChannelModelUnknown")
        assert.strictEqual((yield* Effect.flip(admin.get(noChannel)))._tag, "ChannelNotFound")
        assert.strictEqual((yield* Effect.flip(admin.disable(actor, noChannel)))._tag, "ChannelNotFound")
      }))

    it.effect("keeps every term of a channel as it was written, and records which of them changed", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const terms = {
          unknownFields: "forward",
          knownFields: ["max_tool_calls", "cache_salt"],
          firstByteTimeoutSeconds: 5,
          idleTimeoutSeconds: 86_400,
          storesResponses: true,
          inputOverheadTokens: 300,
          maxConnections: 1
        } as const
        const id = yield* admin.create(actor, input("terms", terms))
        const made = yield* admin.get(id)
        assert.deepInclude(made, terms)
        const none = { ...unchanged, ...terms, knownFields: [], maxConnections: 65_536 }
        yield* admin.edit(actor, { id, revision: made.revision, input: input("terms", none) })
        assert.deepInclude(yield* admin.get(id), { ...terms, knownFields: [], maxConnections: 65_536 })
        assert.deepStrictEqual((yield* recorded(id)).slice(1), [{
          action: "channel.edited",
          actor: "user:1",
          before: { known_fields: ["max_tool_calls", "cache_salt"], max_connections: 1 },
          after: { known_fields: [], max_connections: 65_536 }
        }])
      }))

    it.effect("remembers of which models output is hidden, until it is reset or the upstream calls the model otherwise", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const heard = yield* hear
        const models = { mini: "upstream-mini", maxi: "upstream-maxi" }
        const id = yield* admin.create(actor, input("hiding", { models }))
        const hidden = Effect.map(admin.get(id), ({ hiddenOutput }) => hiddenOutput)
        const revision = Effect.map(admin.get(id), (channel) => channel.revision)
        assert.deepStrictEqual(yield* hidden, [])
        yield* admin.markHiddenOutput(id, "mini")
        yield* admin.markHiddenOutput(id, "mini")
        yield* admin.markHiddenOutput(id, "maxi")
        yield* admin.markHiddenOutput(id, "nope")
        yield* admin.markHiddenOutput(noChannel, "mini")
        assert.deepStrictEqual(yield* hidden, ["maxi", "mini"])
        yield* admin.edit(actor, {
          id,
          revision: yield* revision,
          input: input("hiding", { ...unchanged, models: { ...models, maxi: "upstream-other" } })
        })
        assert.deepStrictEqual(yield* hidden, ["mini"])
        yield* admin.resetHiddenOutput(actor, id, "mini")
        yield* admin.resetHiddenOutput(actor, id, "mini")
        assert.deepStrictEqual(yield* hidden, [])
        assert.strictEqual(
          (yield* Effect.flip(admin.resetHiddenOutput(actor, id, "nope")))._tag,
          "ChannelModelUnknown"
        )
        assert.strictEqual(
          (yield* Effect.flip(admin.resetHiddenOutput(actor, noChannel, "mini")))._tag,
          "ChannelNotFound"
        )
        assert.deepStrictEqual((yield* recorded(id)).map(({ action }) => action), [
          "channel.created",
          "channel.edited",
          "channel.hidden_output_reset"
        ])
        // One message for each change: made, two marked, edited, reset.
        yield* say("settings", "sent")
        const messages: Array<string> = []
        while (messages.at(-1) !== "settings sent") messages.push(yield* Queue.take(heard))
        assert.lengthOf(messages.filter((message) => message === `channels ${id}`), 5)
        const declared = (yield* admin.list).find(({ name }) => name === "declared")?.id ?? noChannel
        yield* admin.markHiddenOutput(declared, "mini")
        assert.deepStrictEqual((yield* admin.get(declared)).hiddenOutput, ["mini"])
        yield* admin.resetHiddenOutput(actor, declared, "mini")
        assert.deepStrictEqual((yield* admin.get(declared)).hiddenOutput, [])
      }))

    it.effect("shows a key that does not open as none, and takes another", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const keys = yield* ChannelKeyAdmin
        const sql = yield* SqlClient.SqlClient
        const id = yield* admin.create(actor, input("spoilt"))
        yield* sql`UPDATE channel_keys SET key_id = '0123456789abcdef' WHERE channel_id = ${id}`
        const spoilt = yield* admin.get(id)
        assert.isFalse(spoilt.hasKey)
        assert.deepInclude(yield* Effect.flip(keys.endpoint(id, "mini")), { reason: "unreadable" })
        yield* admin.edit(actor, { id, revision: spoilt.revision, input: input("spoilt") })
        assert.isTrue((yield* admin.get(id)).hasKey)
      }))

    it.effect("tells the worst state of a channel's circuit breakers", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const health = yield* ChannelHealth
        const id = yield* admin.create(actor, input("failing"))
        const healthNow = Effect.map(admin.get(id), (channel) => channel.health)
        const nowMs = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const failTimes = (atMs: number) => {
          const call = { userId: ada, modelId: "maxi", failures: [{ channelId: id, scope: "model" as const }] }
          for (let at = 0; at < FAILURES_TO_OPEN; at++) health.report({ ...call, succeededOn: noChannel }, atMs)
        }
        const succeed = (modelId: string) =>
          health.report({ userId: ada, modelId, failures: [], succeededOn: id }, nowMs)
        failTimes(nowMs)
        assert.strictEqual(yield* healthNow, "open")
        succeed("mini")
        assert.strictEqual(yield* healthNow, "open")
        succeed("maxi")
        failTimes(nowMs - OPEN_MS_MIN)
        assert.strictEqual(yield* healthNow, "half_open")
        succeed("maxi")
        assert.strictEqual(yield* healthNow, "closed")
      }))

    it.effect("makes no more than there may be", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const sql = yield* SqlClient.SqlClient
        yield* sql`INSERT INTO channels (name, base_url)
          SELECT 'filler ' || n, 'https://upstream.example' FROM generate_series(1, ${CHANNELS_MAX}::integer) AS n`
        assert.deepInclude(yield* Effect.flip(admin.create(actor, input("one more"))), {
          problems: [{ field: "form", reason: "many" }]
        })
      }))
  })
})
