/**
 * Answers `/api/admin/settings` by the same use cases as the page.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { isSettingKey, type SettingKey } from "../../config/SettingDocument.ts"
import { Connections } from "../../orders/Connections.ts"
import { SettingsAdmin, type SettingsView } from "../../settings/SettingsAdmin.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiRefused, ApiUnavailable, orApiAnswer, orApiUnavailable, refusedField } from "./ApiError.ts"

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

export const SettingsHandlers = HttpApiBuilder.group(
  AdminApi,
  "settings",
  Effect.fn(function*(handlers) {
    const admin = yield* SettingsAdmin
    const connections = yield* Connections
    return handlers.handleAll({
      getSettings: () => Effect.map(admin.view, shownView).pipe(orApiUnavailable),
      saveSettings: Effect.fnUntraced(
        function*({ payload }) {
          const changes = yield* changesOf(payload)
          return shownView(yield* admin.save(yield* CurrentAdmin, changes, payload.revision))
        },
        Effect.catchTags({
          SettingsRefused: (error) =>
            Effect.fail(
              new ApiRefused({
                message: error.message,
                problems: Object.fromEntries(error.problems.map(({ key, message }) => [key, message]))
              })
            ),
          ChangedMeanwhile: () =>
            Effect.fail(
              new ApiConflict({ message: "The settings have changed since that revision. Nothing was saved." })
            )
        }),
        orApiAnswer
      ),
      testConnection: ({ params }) =>
        connections.test(params.provider).pipe(
          Effect.catchTags({
            ProviderOff: () => Effect.fail(refusedField(params.provider, "its credentials are not set")),
            ProviderRefused: ({ why }) => Effect.fail(refusedField(params.provider, `refused the question: ${why}`)),
            ProviderUnavailable: ({ why }) =>
              Effect.fail(new ApiUnavailable({ message: `${params.provider} gave no usable answer: ${why}` }))
          }),
          orApiUnavailable
        )
    })
  })
)
