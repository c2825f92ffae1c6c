/**
 * Answers `/api/admin/settings` by the same use cases as the page.
 */
import { Effect } from "effect"
import { isSettingKey, type SettingKey } from "../../config/SettingDocument.ts"
import { Connections } from "../../orders/Connections.ts"
import { SettingsAdmin, type SettingsView } from "../../settings/SettingsAdmin.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { ApiConflict, ApiRefused, ApiUnavailable, refusedField } from "./ApiError.ts"
import { answersOf } from "./ApiHandlers.ts"

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

export const SettingsHandlers = answersOf(
  "settings",
  Effect.gen(function*() {
    const admin = yield* SettingsAdmin
    const connections = yield* Connections
    return {
      getSettings: () => Effect.map(admin.view, shownView),
      saveSettings: Effect.fnUntraced(
        function*({ payload }) {
          const changes = yield* changesOf(payload)
          return shownView(yield* admin.save(yield* CurrentAdmin, changes, payload.revision))
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
    }
  })
)
