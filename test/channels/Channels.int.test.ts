import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Queue, Redacted, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { writeConfigModels } from "../../src/catalog/ConfigModels.ts"
import { type ChannelFailure, ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { insertKey, nextKeyId } from "../../src/channels/ChannelKeyStore.ts"
import { type Channel, Channels, writeConfigChannels } from "../../src/channels/Channels.ts"
import { FAILURES_TO_OPEN } from "../../src/channels/CircuitBreaker.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { hear, say } from "../support/Heard.ts"
import { logsTo } from "../support/LogLines.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestLayer = Notifications.layer.pipe(Layer.provideMerge(TestDatabase.layer))

const model = (id: string) => ({ id, input_usd_per_1m: "1", output_usd_per_1m: "1" })
const channel = (name: string, more: object = {}) => ({
  name,
  base_url: `https://${name}.example/v1`,
  api_key: `key of ${name}`,
  models: { mini: `${name}-mini` },
  ...more
})

const user = UserId.make(1n)

const masterKey = "a master key of thirty-two letters"

/** A process started with this configuration: its services, and what it hears after they have. */
const start = Effect.fnUntraced(function*(document: { readonly channels: unknown; readonly models?: unknown }) {
  const config = testConfig({ models: [model("mini"), model("maxi")], ...document }, { REALMS_MASTER_KEY: masterKey })
  const Config = AppConfig.layerOf(config)
  yield* Effect.andThen(writeConfigModels, writeConfigChannels).pipe(Effect.provideService(AppConfig, config))
  // Merged as the server merges them: the order of tries must see what the forwarder says of the channels' health.
  const Services = Layer.fresh(
    Layer.mergeAll(Channels.layer, ChannelHealth.layer).pipe(
      Layer.provideMerge(SecretBox.layer),
      Layer.provide([Config, NodeServices.layer])
    )
  )
  const services = yield* Layer.build(Services)
  const heard = yield* hear
  // Whatever its own start said has been heard once this has.
  yield* say("settings", "started")
  while ((yield* Queue.take(heard)) !== "settings started");
  return {
    channels: Context.get(services, Channels),
    health: Context.get(services, ChannelHealth),
    box: Context.get(services, SecretBox),
    heard
  }
})

/** A channel as the console makes it, its key sealed for `place`. */
const insertMade = Effect.fnUntraced(function*(box: SecretBox["Service"], name: string, place?: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: bigint }>`INSERT INTO channels (name, base_url)
    VALUES (${name}, ${`https://${name}.example/v1`}) RETURNING id`
  const id = row?.id ?? 0n
  const key = Redacted.make(`key of ${name}`)
  const keyId = yield* nextKeyId(sql)
  const sealed = yield* box.seal(key, place ?? `channel_key:${keyId}`)
  yield* insertKey(sql, { id: keyId, channelId: ChannelId.make(id), secret: key, sealed })
  yield* sql`INSERT INTO channel_models VALUES (${id}, 'mini', ${`${name}-mini`})`
})

const secretsOf = ({ keys }: Channel) => keys.map(({ secret }) => Redacted.value(secret))

const namesFor = (channels: Context.Service.Shape<typeof Channels>, id: string) =>
  Effect.map(channels.candidates(id, user), (found) => found.map(({ name }) => name))

/** A test that looks at what is logged. */
const withLogs = <A, E>(
  test: (logged: ReadonlyArray<string>) => Effect.Effect<A, E, Layer.Success<typeof TestLayer> | Scope.Scope>
) => {
  const logged: Array<string> = []
  return test(logged).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(TestLayer, logsTo(logged))))
}

describe("Channels", () => {
  it.live("serve the models they declare, by priority, from memory after the first question", () =>
    Effect.gen(function*() {
      const terms = {
        unknown_fields: "refuse",
        known_fields: ["service_tier", "stream_options"],
        first_byte_timeout_seconds: 7,
        idle_timeout_seconds: 8,
        stores_responses: true,
        input_overhead_tokens: 9,
        max_connections: 10
      }
      const { channels } = yield* start({
        channels: [
          channel("low"),
          channel("high", { priority: 5, ...terms }),
          channel("maxi", { models: { maxi: "m" } })
        ]
      })
      assert.isUndefined(channels.cachedCandidates("mini", user))
      const [first, second, ...others] = yield* channels.candidates("mini", user)
      assert.deepInclude(first, {
        name: "high",
        baseUrl: "https://high.example/v1",
        priority: 5,
        weight: 1,
        upstreamModel: "high-mini",
        unknownFields: "refuse",
        knownFields: ["stream_options", "service_tier"],
        firstByteTimeoutSeconds: 7,
        idleTimeoutSeconds: 8,
        storesResponses: true,
        inputOverheadTokens: 9,
        maxConnections: 10,
        hiddenOutput: false
      })
      assert.strictEqual(first === undefined ? "" : secretsOf(first)[0], "key of high")
      assert.deepInclude(second, { name: "low", ...defaultChannelTerms, hiddenOutput: false })
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(channels.cachedCandidates("mini", user), yield* channels.candidates("mini", user))
      assert.deepStrictEqual(channels.cachedCandidates("unknown", user), [])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("of the console serve beside those of the file, unless their key does not open", () =>
    withLogs((logged) =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { box, channels } = yield* start({ channels: [channel("one")] })
        yield* insertMade(box, "made")
        yield* insertMade(box, "moved", "channel_key:999")
        yield* sql`INSERT INTO channels (name, base_url) VALUES ('bare', 'https://bare.example')`
        yield* sql`INSERT INTO channel_models SELECT id, 'mini', 'x' FROM channels WHERE name = 'bare'`
        const found = yield* channels.candidates("mini", user)
        assert.deepStrictEqual(found.map((one) => [one.name, secretsOf(one).join()]).toSorted(), [
          ["made", "key of made"],
          ["one", "key of one"]
        ])
        assert.lengthOf(logged, 1)
        assert.include(logged[0], "moved")
        assert.notInclude(logged[0], "key of moved")
      })
    ))

  it.live("of the console are taken over by the file that declares their name", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { box } = yield* start({ channels: [] })
      yield* insertMade(box, "one")
      const { channels } = yield* start({ channels: [channel("one", { api_key: "of the file" })] })
      const [found] = yield* channels.candidates("mini", user)
      assert.strictEqual(found === undefined ? "" : secretsOf(found)[0], "of the file")
      assert.deepStrictEqual(yield* sql`SELECT declared FROM channels`, [{ declared: true }])
      assert.deepStrictEqual(yield* sql`SELECT key_sealed, key_id FROM channel_keys`, [{
        key_sealed: null,
        key_id: null
      }])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("keep their keys out of the database", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* start({ channels: [channel("one")] })
      const rows = yield* sql<{ all: string }>`SELECT c::text AS all FROM channels c`
      assert.strictEqual(rows.length, 1)
      assert.notInclude(rows[0]?.all, "key of one")
      const keys = yield* sql<{ all: string; sealed: unknown }>`
        SELECT k::text || encode(k.digest, 'escape') AS all, key_sealed AS sealed FROM channel_keys k`
      assert.deepStrictEqual(keys.map(({ sealed }) => sealed), [null])
      assert.notInclude(keys[0]?.all, "key of one")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("without a key are kept disabled, until they get one", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const without = yield* start({ channels: [channel("one", { api_key: "" })] })
      assert.deepStrictEqual(yield* namesFor(without.channels, "mini"), [])
      assert.deepStrictEqual(yield* sql`SELECT disabled_at IS NULL AS on FROM channels`, [{ on: false }])
      const withKey = yield* start({ channels: [channel("one")] })
      assert.deepStrictEqual(yield* namesFor(withKey.channels, "mini"), ["one"])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("gone from the file, or no longer serving a model, are no candidates elsewhere either", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const both = { mini: "a", maxi: "b" }
      const old = yield* start({ channels: [channel("gone"), channel("stays", { models: both })] })
      assert.sameMembers([...(yield* namesFor(old.channels, "mini"))], ["gone", "stays"])
      yield* start({ channels: [channel("stays", { models: { maxi: "c" } })] })
      assert.strictEqual(yield* Queue.take(old.heard), "channels declared")
      assert.isUndefined(old.channels.cachedCandidates("mini", user))
      assert.deepStrictEqual(yield* namesFor(old.channels, "mini"), [])
      assert.strictEqual((yield* old.channels.candidates("maxi", user))[0]?.upstreamModel, "c")
      assert.strictEqual((yield* sql`SELECT FROM channels WHERE name = 'gone' AND disabled_at IS NOT NULL`).length, 1)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("say which models are served: those of an enabled channel whose key opens here", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const models = ["mini", "maxi", "midi", "none"].map(model)
      const { box, channels, heard } = yield* start({
        models,
        channels: [
          channel("one", { models: { mini: "a" } }),
          channel("keyless", { api_key: "", models: { midi: "b" } })
        ]
      })
      assert.isUndefined(channels.cachedServedModels())
      assert.deepStrictEqual([...(yield* channels.servedModels)], ["mini"])
      assert.deepStrictEqual([...(channels.cachedServedModels() ?? [])], ["mini"])
      yield* insertMade(box, "moved", "channel_key:999")
      yield* sql`UPDATE channel_models SET model_id = 'maxi'
        FROM channels c WHERE c.id = channel_id AND c.name = 'moved'`
      yield* say("channels", "moved")
      assert.strictEqual(yield* Queue.take(heard), "channels moved")
      assert.deepStrictEqual([...(yield* channels.servedModels)], ["mini"])
      yield* sql`ALTER TABLE channel_models RENAME TO channel_models_away`
      yield* say("channels", "away")
      assert.strictEqual(yield* Queue.take(heard), "channels away")
      assert.strictEqual((yield* Effect.flip(channels.servedModels))._tag, "DatabaseUnavailable")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that were seen to hide output of a model are marked for it until the upstream's name for it changes", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const document = { channels: [channel("one", { models: { mini: "a", maxi: "b" } })] }
      const { channels, heard } = yield* start(document)
      yield* sql`UPDATE channel_models SET hidden_output_at = now() WHERE model_id = 'mini'`
      const hidden = (id: string) => Effect.map(channels.candidates(id, user), ([found]) => found?.hiddenOutput)
      assert.isTrue(yield* hidden("mini"))
      assert.isFalse(yield* hidden("maxi"))
      // The same file again changes nothing; another upstream model is another model.
      yield* start(document)
      assert.isTrue(yield* hidden("mini"))
      yield* start({ channels: [channel("one", { models: { mini: "c", maxi: "b" } })] })
      while ((yield* Queue.take(heard)) !== "channels declared");
      assert.isFalse(yield* hidden("mini"))
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that this version cannot read are not served, and the others are", () =>
    withLogs((logged) =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { channels } = yield* start({ channels: [channel("one"), channel("later")] })
        yield* sql`UPDATE channels SET known_fields = '{teleport}' WHERE name = 'later'`
        assert.deepStrictEqual(yield* namesFor(channels, "mini"), ["one"])
        assert.lengthOf(logged, 1)
        assert.include(logged[0], "later")
        assert.include(logged[0], "known_fields")
      })
    ))

  it.live("do not serve a model that is disabled", () =>
    Effect.gen(function*() {
      const old = yield* start({ channels: [channel("one")] })
      assert.deepStrictEqual(yield* namesFor(old.channels, "mini"), ["one"])
      yield* start({ channels: [channel("one")], models: [model("maxi")] })
      assert.strictEqual(yield* Queue.take(old.heard), "catalog declared")
      assert.deepStrictEqual(yield* namesFor(old.channels, "mini"), [])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that fail are tried last, and by one user after a 429", () =>
    Effect.gen(function*() {
      const { channels, health } = yield* start({ channels: [channel("low"), channel("high", { priority: 5 })] })
      const [high] = yield* channels.candidates("mini", user)
      if (high === undefined) return assert.fail("no candidate")
      const low = channels.cachedCandidates("mini", user)?.[1]?.id
      if (low === undefined) return assert.fail("no second candidate")
      const soonMs = Number.MAX_SAFE_INTEGER / 2
      const names = () => channels.cachedCandidates("mini", user)?.map(({ name }) => name)
      const report = (failures: ReadonlyArray<ChannelFailure>, succeededOn: ChannelId) =>
        health.report({ userId: user, modelId: "mini", failures, succeededOn }, soonMs)
      for (let i = 0; i < FAILURES_TO_OPEN; i++) report([{ channelId: high.id, scope: "model" }], low)
      assert.deepStrictEqual(names(), ["low", "high"])
      report([], high.id)
      assert.deepStrictEqual(names(), ["high", "low"])
      health.avoid(user, high.id, soonMs)
      assert.deepStrictEqual(names(), ["low", "high"])
      assert.deepStrictEqual(channels.cachedCandidates("mini", UserId.make(2n))?.map(({ name }) => name), [
        "high",
        "low"
      ])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("of one priority are shared among users, and each user keeps theirs", () =>
    Effect.gen(function*() {
      const { channels } = yield* start({ channels: [channel("one"), channel("two"), channel("three")] })
      yield* channels.candidates("mini", user)
      const firsts = Array.from({ length: 300 }, (_, index) =>
        channels.cachedCandidates("mini", UserId.make(BigInt(index)))?.[0]?.name)
      for (const name of ["one", "two", "three"]) {
        assert.isAbove(
          firsts.filter((first) =>
            first === name
          ).length,
          50,
          name
        )
      }
      const again = Array.from(
        { length: 300 },
        (_, index) => channels.cachedCandidates("mini", UserId.make(BigInt(index)))?.[0]?.name
      )
      assert.deepStrictEqual(again, firsts)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("declared again unchanged touch no row", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const document = { channels: [channel("one"), channel("keyless", { api_key: "" })] }
      const rows = Effect.all([
        sql`SELECT c.xmin::text AS x, c.* FROM channels c ORDER BY id`,
        sql`SELECT s.xmin::text AS x, s.* FROM channel_models s ORDER BY channel_id`
      ])
      yield* start(document)
      const before = yield* rows
      assert.strictEqual(before[0].length + before[1].length, 4)
      yield* start(document)
      assert.deepStrictEqual(yield* rows, before)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that cannot be read are unavailable, not absent", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { channels } = yield* start({ channels: [channel("one")] })
      yield* sql`ALTER TABLE channel_models RENAME TO channel_models_away`
      assert.strictEqual((yield* Effect.flip(channels.candidates("mini", user)))._tag, "DatabaseUnavailable")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
