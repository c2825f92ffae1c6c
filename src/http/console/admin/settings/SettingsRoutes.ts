/**
 * `/admin/settings`: what root may change while servers run, a form for each section. A field that is not sent, or that says what
 * is in effect already, is left as it is; a secret that is left empty too.
 */
import { Effect } from "effect"
import { fieldOf, isSettingKey, type SettingKey } from "../../../../config/SettingDocument.ts"
import { Connections } from "../../../../orders/Connections.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import {
  type SettingChanges,
  SettingsAdmin,
  type SettingsRefused,
  type SettingsView
} from "../../../../settings/SettingsAdmin.ts"
import {
  emptyForm,
  type FormState,
  notFound,
  page,
  type PageNotFound,
  type Problems,
  redirect,
  refuse,
  refusing
} from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import { problemText, settingLabels } from "./SettingLabels.ts"
import { type ConnectionResult, type Section, sections } from "./SettingsText.ts"
import { SettingsPage } from "./SettingsView.tsx"

const show = (
  context: UserContext,
  { section, state = emptyForm, tested }: {
    readonly section?: Section
    readonly state?: FormState
    readonly tested?: ConnectionResult
  } = {}
) =>
  Effect.gen(function*() {
    const view = yield* (yield* SettingsAdmin).view
    const publicUrl = (yield* PublicAddress).url()
    const body = SettingsPage({ context, view, publicUrl, section, state, tested })
    return page(sayOf(context, "settings")("title"), body)
  })

const settingsPage = adminPage("/admin/settings", (context) => show(context))

const inSection = (section: Section, key: SettingKey): boolean => fieldOf(key).section === section

/** What the form changes: a button resets or removes one setting and nothing else; saving takes what differs. */
const changesOf = (view: SettingsView, section: Section, fields: URLSearchParams): SettingChanges => {
  const pressed = (name: string) => {
    const key = fields.get(name) ?? ""
    return isSettingKey(key) && inSection(section, key) ? key : undefined
  }
  const reset = pressed("reset")
  if (reset !== undefined) return new Map([[reset, null]])
  const removed = pressed("remove")
  if (removed !== undefined && fieldOf(removed).kind === "secret") return new Map([[removed, ""]])
  return new Map(view.settings.flatMap(({ key, kind, source, text }) => {
    const sent = fields.get(key)?.trim().replaceAll("\r\n", "\n")
    if (!inSection(section, key) || sent === undefined) return []
    // Days are closed from when the zone is saved, also where it is the one of the file.
    if (kind === "zone" && source === "file") return [[key, sent] as const]
    return (kind === "secret" ? sent === "" : sent === text) ? [] : [[key, sent] as const]
  }))
}

const problemsOf = (context: UserContext, section: Section, { problems }: SettingsRefused): Problems => {
  const labels = settingLabels(context)
  const told: { [name: string]: string } = {}
  for (const { key, why } of problems) {
    if (!isSettingKey(key)) continue
    const text = problemText(context, key, why)
    // What is wrong in another section is said above this one.
    if (inSection(section, key)) told[key] ??= text
    else told["form"] = [told["form"], `${labels[key].label}: ${text}`].filter((part) => part !== undefined).join(" ")
  }
  return told
}

const sectionOf = (fields: URLSearchParams): Effect.Effect<Section, PageNotFound> => {
  const section = oneOf(sections, fields.get("section"))
  return section === undefined ? notFound() : Effect.succeed(section)
}

const saveForm = adminForm("/admin/settings", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const section = yield* sectionOf(fields)
      const admin = yield* SettingsAdmin
      const changes = changesOf(yield* admin.view, section, fields)
      if (changes.size > 0) {
        yield* admin.save(actorOf(context), changes, fields.get("revision") ?? "").pipe(
          Effect.catchTags({
            SettingsRefused: (error) => Effect.fail(refuse(problemsOf(context, section, error))),
            ChangedMeanwhile: refusing({ form: sayOf(context, "settings")("changed") }, 409)
          })
        )
      }
      return redirect(`/admin/settings?done=${changes.size > 0 ? "saved" : "same"}&section=${section}#${section}`)
    }),
  again: (context, state) => Effect.flatMap(sectionOf(state.values), (section) => show(context, { section, state }))
})

const testForm = adminForm("/admin/settings/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const provider = oneOf(["stripe", "epay"], fields.get("provider"))
      if (provider === undefined) return yield* notFound()
      const outcome = yield* (yield* Connections).test(provider).pipe(
        Effect.as({ outcome: "ok" as const }),
        Effect.catchTags({
          ProviderOff: () => Effect.succeed({ outcome: "unset" as const }),
          ProviderRefused: ({ why }) => Effect.succeed({ outcome: "refused" as const, why }),
          ProviderUnavailable: ({ why }) => Effect.succeed({ outcome: "unavailable" as const, why })
        })
      )
      return yield* show(context, { tested: { provider, ...outcome } })
    })
})

export const SettingsRoutes = routes(settingsPage, saveForm, testForm)
