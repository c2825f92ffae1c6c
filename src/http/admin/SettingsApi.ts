/**
 * `/api/admin/settings`: what is in effect, and changes of it. A secret goes in and never comes out.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { hasGuarded, isSettingKey, type SettingKey, settingKinds } from "../../config/SettingDocument.ts"
import { MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { Connections } from "../../orders/Connections.ts"
import { SettingsAdmin, type SettingsView } from "../../settings/SettingsAdmin.ts"
import { checkMayOpenAccess } from "./AdminAccess.ts"
import { ApiAccepted, ApiConflict, ApiRefused, ApiUnavailable, refusedField } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, NoContent } from "./ApiSchema.ts"

const Setting = Json({
  key: Schema.String,
  kind: Schema.Literals(settingKinds),
  options: Schema.Array(Schema.String),
  /** Null for a secret. */
  text: Schema.NullOr(Schema.String),
  fileText: Schema.NullOr(Schema.String),
  isSet: Schema.Boolean,
  source: Schema.Literals(["file", "override"]),
  updatedAt: Schema.NullOr(MomentJson),
  updatedBy: Schema.NullOr(Schema.String)
}, { text: "value", fileText: "default" }).pipe(documented("Setting"))

const Settings = Schema.Struct({ revision: Schema.String, settings: Schema.Array(Setting) }).pipe(
  documented("Settings")
)

/** Values are the texts that config.yaml could have. */
const SettingsChange = Schema.Struct({
  revision: Schema.optionalKey(Schema.String),
  set: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  reset: Schema.optionalKey(Schema.Array(Schema.String))
}).pipe(
  documented("SettingsChange", {
    description:
      "All of it or nothing. `set`: new values by key, an empty one removes a secret. `reset`: keys that follow " +
      "config.yaml again. `revision`: of the settings that this was decided on; with another one now it is refused (409)."
  })
)

const { get, patch, post } = HttpApiEndpoint

export class SettingsApi extends area(
  "settings",
  "Settings",
  "What root may change while servers run."
).add(
  get("getSettings", "/settings", { success: Settings }),
  patch("saveSettings", "/settings", {
    payload: SettingsChange,
    success: Settings,
    error: [ApiAccepted, ApiRefused, ApiConflict]
  }),
  post("testConnection", "/settings/test/:provider", {
    params: { provider: Schema.Literals(["epay", "stripe"]) },
    success: NoContent,
    error: ApiRefused
  })
) {}

/** Secrets have no text to show. */
const shownView = ({ revision, settings }: SettingsView) => ({
  revision,
  settings: settings.map((setting) => setting.kind === "secret" ? { ...setting, text: null, fileText: null } : setting)
})

interface Change {
  readonly set?: Readonly<Record<string, string>>
  readonly reset?: ReadonlyArray<string>
}

const changesOf = ({ reset = [], set = {} }: Change): Effect.Effect<Map<SettingKey, string | null>, ApiRefused> =>
  Effect.gen(function*() {
    const changes = new Map<SettingKey, string | null>()
    for (const [key, text] of [...Object.entries(set), ...reset.map((key) => [key, null] as const)]) {
      if (!isSettingKey(key)) return yield* refusedField(key, "is no setting")
      if (changes.has(key)) return yield* refusedField(key, "is both set and reset")
      changes.set(key, text)
    }
    return changes
  })

export const SettingsHandlers = answersOf(SettingsApi)(
  Effect.all({ settings: SettingsAdmin, connections: Connections }),
  ({ connections, settings }) => ({
    getSettings: () => Effect.map(settings.view, shownView),
    saveSettings: Effect.fnUntraced(
      function*({ payload }, admin) {
        const changes = yield* changesOf(payload)
        if (hasGuarded(changes.keys())) yield* checkMayOpenAccess(admin)
        return shownView(yield* settings.save(admin, changes, payload.revision))
      },
      Effect.catchTags({
        SettingsRefused: ({ message, problems }) =>
          Effect.fail(
            new ApiRefused({
              message,
              problems: Object.fromEntries(problems.map(({ key, message }) => [key, message]))
            })
          ),
        ChangedMeanwhile: () =>
          Effect.fail(
            new ApiConflict({ message: "The settings have changed since that revision. Nothing was saved." })
          )
      })
    ),
    testConnection: ({ params: { provider } }) =>
      connections.test(provider).pipe(
        Effect.catchTags({
          ProviderOff: () => Effect.fail(refusedField(provider, "its credentials are not set")),
          ProviderRefused: ({ why }) => Effect.fail(refusedField(provider, `refused the question: ${why}`)),
          ProviderUnavailable: ({ why }) =>
            Effect.fail(new ApiUnavailable({ message: `${provider} gave no usable answer: ${why}` }))
        })
      )
  })
)
