/**
 * `/admin/settings`: what root may change while servers run, a form for each section. A field that is not sent, or that says what
 * is in effect already, is left as it is; a secret that is left empty too.
 */
import { Effect, Layer } from "effect"
import { fieldOf, isSettingKey, type SettingKey } from "../../../../config/SettingDocument.ts"
import { Connections } from "../../../../orders/Connections.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import {
  type SettingChanges,
  SettingsAdmin,
  type SettingsRefused,
  type SettingsView
} from "../../../../settings/SettingsAdmin.ts"
import { emptyForm, type FormState, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { problemText, settingLabels } from "./SettingLabels.ts"
import { isSection, type Section } from "./SettingsText.ts"
import { type ConnectionResult, SettingsPage } from "./SettingsView.tsx"

const show = (
  context: UserContext,
  more: { readonly section?: Section; readonly state?: FormState; readonly tested?: ConnectionResult } = {}
) =>
  Effect.gen(function*() {
    const view = yield* (yield* SettingsAdmin).view
    const publicUrl = (yield* PublicAddress).url()
    return page(
      sayOf(context, "settings")("title"),
      SettingsPage({
        context,
        view,
        publicUrl,
        section: more.section,
        state: more.state ?? emptyForm,
        tested: more.tested
      })
    )
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
  const section = fields.get("section") ?? ""
  return isSection(section) ? Effect.succeed(section) : Effect.fail(new PageNotFound())
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
            ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(context, "settings")("changed") }, 409))
          })
        )
      }
      return redirect(`/admin/settings?done=${changes.size > 0 ? "saved" : "same"}#${section}`)
    }),
  again: (context, fields, problems) =>
    Effect.flatMap(sectionOf(fields), (section) => show(context, { section, state: { values: fields, problems } }))
})

const testForm = adminForm("/admin/settings/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const provider = fields.get("provider")
      if (provider !== "stripe" && provider !== "epay") return yield* new PageNotFound()
      const why = yield* (yield* Connections).test(provider).pipe(
        Effect.as(undefined),
        Effect.catchTags({
          ProviderOff: () => Effect.succeed({ kind: "unset" as const, detail: "" }),
          ProviderRefused: (error) => Effect.succeed({ kind: "refused" as const, detail: error.why }),
          ProviderUnavailable: (error) => Effect.succeed({ kind: "unavailable" as const, detail: error.why })
        })
      )
      return yield* show(context, { tested: { provider, why } })
    })
})

export const SettingsRoutes = Layer.mergeAll(settingsPage, saveForm, testForm)
