/**
 * Settings over one database, as two servers see them: what the configuration says, what an administrator sets, and the way back,
 * for every setting there is.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Equal, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { testConfig } from "../../src/config/Config.ts"
import { fieldOf, type SettingKey, settingKeys, settingTextsOf } from "../../src/config/SettingDocument.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import type { PublicAddress } from "../../src/platform/PublicAddress.ts"
import type { SecretBox } from "../../src/platform/SecretBox.ts"
import { Settings, type SettingsValues } from "../../src/settings/Settings.ts"
import { type SettingChanges, SettingsAdmin } from "../../src/settings/SettingsAdmin.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { settingsServer } from "../support/SettingsServer.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { until } from "../support/Until.ts"

const SECRET = `canary-${randomUUID()}`

const document = {
  server: { public_url: "https://realms.example" },
  billing: { multiplier: "1.5" },
  registration: { mode: "closed" },
  payment: { stripe: { secret_key: SECRET } }
}

class World extends Context.Service<World, {
  readonly url: string
  readonly dataDir: string
  readonly a: Context.Context<Settings | SettingsAdmin | SqlClient.SqlClient | SecretBox | PublicAddress>
  readonly b: Context.Context<Settings | SettingsAdmin | SqlClient.SqlClient | SecretBox | PublicAddress>
}>()("realms/test/settings/Settings.int.test/World") {
  static readonly layer = Layer.effect(
    World,
    Effect.gen(function*() {
      const url = yield* makeDatabase()
      const dataDir = yield* scratchFolder
      return {
        url,
        dataDir,
        a: yield* settingsServer({ url, dataDir, document }),
        b: yield* settingsServer({ url, dataDir, document })
      }
    }).pipe(Effect.orDie)
  )
}

/** The smallest image of its kind. */
const PIXEL = `data:image/png;base64,${
  Buffer.from("89504e470d0a1a0a0000000d494844520000000100000001080400000", "hex").toString("base64")
}`

/** Another value for every setting, and where it is seen. */
const others: Readonly<Record<SettingKey, readonly [string, (values: SettingsValues) => unknown, unknown]>> = {
  "site.name": ["Reich", (values) => values.site.name, "Reich"],
  "site.notice": ["Back soon\nor later", (values) => values.site.notice, "Back soon\nor later"],
  "site.logo": [PIXEL, (values) => values.site.logo, PIXEL],
  "site.contact": ["help@example.com", (values) => values.site.contact, "help@example.com"],
  "site.terms": ["One.\n\nTwo.", (values) => values.site.terms, "One.\n\nTwo."],
  "server.public_url": ["https://other.example/", (values) => values.publicUrl, "https://other.example"],
  "seller.name": ["Reich GmbH", (values) => values.seller.name, "Reich GmbH"],
  "seller.address": ["Street 1\nTown", (values) => values.seller.address, "Street 1\nTown"],
  "seller.tax_id": ["DE1", (values) => values.seller.taxId, "DE1"],
  "smtp.host": ["Mail.Example", (values) => values.smtp.host, "mail.example"],
  "smtp.port": ["2525", (values) => values.smtp.port, 2525],
  "smtp.security": ["tls", (values) => values.smtp.security, "tls"],
  "smtp.user": ["realms", (values) => values.smtp.user, "realms"],
  "smtp.password": [`${SECRET}-m`, (values) => Redacted.value(values.smtp.password), `${SECRET}-m`],
  "smtp.from": ["No-Reply@mail.example", (values) => values.smtp.from, "no-reply@mail.example"],
  "security.second_factor": ["root_and_finance", (values) => values.security.secondFactor, "root_and_finance"],
  "security.keys_per_hour": ["3", (values) => values.security.keysPerHour, 3],
  "registration.email_domains": [
    "Example.com, a.example",
    (values) => values.registration.emailDomains,
    ["example.com", "a.example"]
  ],
  "sign_in.oidc.name": ["Company", (values) => values.signIn.oidc.name, "Company"],
  "sign_in.oidc.issuer": ["https://id.example", (values) => values.signIn.oidc.issuer, "https://id.example"],
  "sign_in.oidc.client_id": ["realms", (values) => values.signIn.oidc.clientId, "realms"],
  "sign_in.oidc.client_secret": [
    `${SECRET}-o`,
    (values) => Redacted.value(values.signIn.oidc.clientSecret),
    `${SECRET}-o`
  ],
  "sign_in.github.client_id": ["realms", (values) => values.signIn.github.clientId, "realms"],
  "sign_in.github.client_secret": [
    `${SECRET}-g`,
    (values) => Redacted.value(values.signIn.github.clientSecret),
    `${SECRET}-g`
  ],
  "sign_in.github.url": ["https://git.example", (values) => values.signIn.github.url, "https://git.example"],
  "registration.mode": ["open", (values) => values.registration.mode, "open"],
  "retention.refused_calls_days": ["30", (values) => values.retention.refusedCallsDays, 30],
  "retention.subscription_minutes_days": ["500", (values) => values.retention.subscriptionMinutesDays, 500],
  "finance.time_zone": ["Asia/Shanghai", (values) => values.finance.timeZone, "Asia/Shanghai"],
  "finance.confirm_above_usd": ["12.5", (values) => values.finance.confirmAboveMicros, 12_500_000n],
  "finance.confirm_above_cny": ["80", (values) => values.finance.confirmAboveFen, 8_000n],
  "billing.enabled": ["false", (values) => values.billing.enabled, false],
  "billing.pay_as_you_go": ["false", (values) => values.billing.payAsYouGo, false],
  "billing.min_topup_cny": ["2.50", (values) => values.billing.minTopupFen, 250n],
  "billing.max_topup_cny": ["99", (values) => values.billing.maxTopupFen, 9_900n],
  "billing.credit_usd_per_cny": ["0.2", (values) => values.billing.creditUsdPerCny, "0.2"],
  "billing.topup_presets_cny": ["5, 7.50", (values) => values.billing.topupPresetsFen, [500n, 750n]],
  "billing.topup_bonuses": [
    "20: 5%, 100.00: 12.5 percent",
    (values) => values.billing.topupBonuses,
    [{ fromFen: 2_000n, basisPoints: 500n }, { fromFen: 10_000n, basisPoints: 1_250n }]
  ],
  "billing.multiplier": ["2.25", (values) => values.billing.multiplierMicros, 2_250_000n],
  "billing.default_max_output_tokens": ["77", (values) => values.billing.defaultMaxOutputTokens, 77],
  "billing.reservation_lease_seconds": ["7", (values) => values.billing.reservationLeaseSeconds, 7],
  "billing.commit_wait_ms": ["8", (values) => values.billing.commitWaitMs, 8],
  "billing.extend_wait_ms": ["9", (values) => values.billing.extendWaitMs, 9],
  "billing.expired_reservation": ["charge", (values) => values.billing.expiredReservation, "charge"],
  "billing.on_disconnect": ["drain", (values) => values.billing.onDisconnect, "drain"],
  "billing.drain_seconds": ["0", (values) => values.billing.drainSeconds, 0],
  "billing.drain_max_seconds": ["61", (values) => values.billing.drainMaxSeconds, 61],
  "billing.max_open_holds_per_user": ["3", (values) => values.billing.maxOpenHoldsPerUser, 3],
  "limits.key_requests_per_minute": ["60", (values) => values.limits.keyRequestsPerMinute, 60],
  "limits.key_tokens_per_minute": ["70", (values) => values.limits.keyTokensPerMinute, 70],
  "limits.key_concurrent_calls": ["4", (values) => values.limits.keyConcurrentCalls, 4],
  "limits.user_requests_per_minute": ["61", (values) => values.limits.userRequestsPerMinute, 61],
  "limits.user_tokens_per_minute": ["71", (values) => values.limits.userTokensPerMinute, 71],
  "limits.user_concurrent_calls": ["5", (values) => values.limits.userConcurrentCalls, 5],
  "payment.epay.enabled": ["true", (values) => values.payment.epay.enabled, true],
  "payment.epay.gateway": ["https://pay.example", (values) => values.payment.epay.gateway, "https://pay.example"],
  "payment.epay.partner_id": ["1001", (values) => values.payment.epay.partnerId, "1001"],
  "payment.epay.key": [`${SECRET}-e`, (values) => Redacted.value(values.payment.epay.key), `${SECRET}-e`],
  "payment.epay.types": ["wxpay, usdt", (values) => values.payment.epay.types, ["wxpay", "usdt"]],
  "payment.epay.bill_columns": [
    "trade_no=订单号, money=金额",
    (values) => values.payment.epay.billColumns,
    ["trade_no=订单号", "money=金额"]
  ],
  "payment.stripe.enabled": ["true", (values) => values.payment.stripe.enabled, true],
  "payment.stripe.secret_key": [
    `${SECRET}-s`,
    (values) => Redacted.value(values.payment.stripe.secretKey),
    `${SECRET}-s`
  ],
  "payment.stripe.webhook_secret": [
    `${SECRET}-w`,
    (values) => Redacted.value(values.payment.stripe.webhookSecret),
    `${SECRET}-w`
  ],
  "payment.stripe.currency": ["USD", (values) => values.payment.stripe.currency, "usd"],
  "payment.stripe.minor_per_fen": ["0.14", (values) => values.payment.stripe.minorPerFen, "0.14"],
  "payment.stripe.api_base": [
    "https://stripe.example",
    (values) => values.payment.stripe.apiBase,
    "https://stripe.example"
  ]
}

const save = (context: World["Service"]["a"], changes: SettingChanges, revision?: string) =>
  Context.get(context, SettingsAdmin).save(cliActor, changes, revision)

const view = (context: World["Service"]["a"]) => Effect.orDie(Context.get(context, SettingsAdmin).view)

/** What must be there first so that something can be switched on. */
const wherewithal: Partial<Record<SettingKey, SettingChanges>> = {
  "smtp.host": new Map([["smtp.from", "a@mail.example"]]),
  "payment.epay.enabled": new Map([
    ["payment.epay.gateway", "https://gateway.example"],
    ["payment.epay.partner_id", "7"],
    ["payment.epay.key", "key"]
  ])
}

describe("Settings", () => {
  layer(World.layer, { timeout: 120_000 })((it) => {
    it.effect("are what the configuration says until they are set, everywhere at once, and again after a reset", () =>
      Effect.gen(function*() {
        const { a, b } = yield* World
        const texts = settingTextsOf(testConfig(document))
        const before = yield* Context.get(b, Settings).fresh
        assert.strictEqual(before.billing.multiplierMicros, 1_500_000n)
        for (const key of settingKeys) {
          const [text, seen, expected] = others[key]
          const needed = wherewithal[key]
          if (needed !== undefined) yield* save(a, needed)
          const original = seen(before)
          assert.notDeepEqual(original, expected, key)
          const answered = yield* save(a, new Map([[key, text]]))
          assert.deepStrictEqual(answered, yield* view(b), `${key} as the save answers it`)
          assert.deepStrictEqual(seen(yield* Context.get(b, Settings).fresh), expected, `${key} on the other server`)
          assert.deepStrictEqual(seen(Context.get(a, Settings).current()), expected, `${key} here`)
          const asCalls = Effect.map(Context.get(b, Settings).get, seen)
          yield* until(
            `${key} for calls on the other server`,
            Effect.map(asCalls, (value) => Equal.equals(value, expected))
          )
          const set = (yield* view(b)).settings.find((setting) => setting.key === key)
          assert.strictEqual(set?.source, "override", key)
          assert.strictEqual(set?.text, fieldOf(key).kind === "secret" ? "" : text, key)

          assert.deepStrictEqual(
            yield* save(b, new Map([[key, null]])),
            yield* view(a),
            `${key} as the reset answers it`
          )
          assert.deepStrictEqual(seen(yield* Context.get(a, Settings).fresh), original, `${key} after its reset`)
          const reset = (yield* view(a)).settings.find((setting) => setting.key === key)
          assert.strictEqual(reset?.source, "file", key)
          assert.strictEqual(reset?.text, fieldOf(key).kind === "secret" ? "" : texts[key], key)
          if (needed !== undefined) yield* save(a, new Map([...needed.keys()].map((each) => [each, null])))
        }
      }))

    it.effect("stay set when they equal the default", () =>
      Effect.gen(function*() {
        const { a } = yield* World
        yield* save(a, new Map([["billing.multiplier", "1.5"]]))
        const set = (yield* view(a)).settings.find(({ key }) => key === "billing.multiplier")
        assert.strictEqual(set?.source, "override")
        yield* save(a, new Map([["billing.multiplier", null]]))
      }))

    it.effect("are saved as a whole or not at all", () =>
      Effect.gen(function*() {
        const { a } = yield* World
        const before = yield* view(a)
        const table: ReadonlyArray<readonly [SettingKey, string]> = [
          ["billing.multiplier", "-1"],
          ["billing.multiplier", "1001"],
          ["billing.multiplier", "1.0000001"],
          ["billing.multiplier", "NaN"],
          ["billing.credit_usd_per_cny", "0"],
          ["billing.min_topup_cny", "0"],
          ["billing.min_topup_cny", "10.001"],
          ["billing.max_topup_cny", "9.99"],
          ["billing.enabled", "perhaps"],
          ["billing.reservation_lease_seconds", "0"],
          ["billing.commit_wait_ms", "1e9"],
          ["registration.mode", "ajar"],
          ["retention.refused_calls_days", "-1"],
          ["retention.subscription_minutes_days", "399"],
          ["finance.time_zone", "+08:00"],
          ["finance.time_zone", "Mars/Olympus"],
          ["payment.epay.bill_columns", "trade=x"],
          ["payment.epay.bill_columns", "state=paid"],
          ["site.name", ""],
          ["site.name", "x".repeat(61)],
          ["server.public_url", "ftp://realms.example"],
          ["payment.epay.enabled", "true"],
          ["payment.epay.types", ""],
          ["payment.stripe.currency", "dollars"],
          ["payment.stripe.api_base", "javascript:alert(1)"],
          ["payment.stripe.api_base", "http://169.254.169.254/"],
          ["payment.epay.gateway", "http://[::ffff:169.254.169.254]"],
          ["payment.epay.gateway", "http://pay.example"],
          ["payment.epay.gateway", "http://127.0.0.1.example"],
          ["payment.epay.gateway", "https://user:password@pay.example"],
          ["payment.epay.key", "x".repeat(2_001)]
        ]
        for (const [key, text] of table) {
          const enabled: SettingChanges = key === "payment.epay.types"
            ? new Map([["payment.epay.enabled", "true"]])
            : new Map()
          const refused = yield* Effect.flip(
            save(a, new Map([...enabled, ["billing.commit_wait_ms", "1"], [key, text]]))
          )
          assert.strictEqual(refused._tag, "SettingsRefused", `${key} ${text}`)
        }
        assert.deepStrictEqual(yield* view(a), before)
      }))

    it.effect("cannot be switched on behind an address that callbacks do not reach", () =>
      Effect.gen(function*() {
        const { a } = yield* World
        yield* save(a, new Map([["payment.stripe.enabled", "true"]]))
        const refused = yield* Effect.flip(save(a, new Map([["server.public_url", "http://127.0.0.1:8080"]])))
        assert.strictEqual(refused._tag, "SettingsRefused")
        yield* save(a, new Map([["payment.stripe.enabled", null]]))
      }))

    it.effect("tell the second of two administrators, and overwrite nothing", () =>
      Effect.gen(function*() {
        const { a, b } = yield* World
        const { revision } = yield* view(a)
        yield* save(a, new Map([["billing.multiplier", "3"]]), revision)
        const told = yield* Effect.flip(save(b, new Map([["billing.multiplier", "4"]]), revision))
        assert.strictEqual(told._tag, "ChangedMeanwhile")
        assert.strictEqual((yield* Context.get(b, Settings).fresh).billing.multiplierMicros, 3_000_000n)
        const races = yield* Effect.all(
          [a, b].map((context) => Effect.result(save(context, new Map([["billing.multiplier", "5"]]), undefined))),
          { concurrency: 2 }
        )
        assert.isTrue(races.every(({ _tag }) => _tag === "Success"))
        yield* save(a, new Map([["billing.multiplier", null]]))
      }))

    it.effect("keep secrets sealed, and out of the record", () =>
      Effect.gen(function*() {
        const { a } = yield* World
        const sql = Context.get(a, SqlClient.SqlClient)
        yield* save(a, new Map([["payment.stripe.webhook_secret", `${SECRET}-first`]]))
        yield* save(a, new Map([["payment.stripe.webhook_secret", `${SECRET}-second`]]))
        yield* save(a, new Map([["payment.stripe.secret_key", ""]]))
        assert.strictEqual(Redacted.value((yield* Context.get(a, Settings).fresh).payment.stripe.secretKey), "")
        const rows = yield* sql<
          { text: string }
        >`SELECT row_to_json(t)::text || encode(coalesce(secret, ''), 'escape') AS text
          FROM app_settings t UNION ALL SELECT row_to_json(l)::text FROM audit_log l`
        assert.isAbove(rows.length, 3)
        for (const { text } of rows) assert.notInclude(text, SECRET)
        const [replaced] = yield* sql<{ after: unknown }>`SELECT after FROM audit_log
          WHERE after -> 'replaced' ? 'payment.stripe.webhook_secret' ORDER BY id DESC LIMIT 1`
        assert.isDefined(replaced)
        yield* save(a, new Map([["payment.stripe.secret_key", null], ["payment.stripe.webhook_secret", null]]))
      }))
  })
})
