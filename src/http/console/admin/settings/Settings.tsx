/**
 * `/admin/settings/{section}`: what administrators may change while servers run, a page with a form for each section: every field with
 * what is in effect, where that comes from if it is not the default, and the way back. A field that is not sent, or that says what is
 * in effect already, is left as it is; so is a secret or an image that is left empty. A secret is only ever said to be set or not.
 */
import { Effect } from "effect"
import type { ComponentChild } from "preact"
import { HttpRouter } from "effect/http"
import { defaultTexts, fieldOf, hasGuarded, type SettingKey, settingKeys } from "../../../../config/SettingDocument.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { changesIn } from "../../../../settings/SettingChanges.ts"
import {
  SettingsAdmin,
  type SettingsRefused,
  type SettingsView,
  type SettingView
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
import { readAnyForm } from "../../FormBody.ts"
import { FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Badge, Card, Done, PageHeading } from "../../kit/Parts.tsx"
import { proveStaff, staffInputs, staffPasskey } from "../../kit/ProofForms.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import { logoPath } from "../../SiteFiles.ts"
import { ConnectionTest, isTested, testConnection, testedSections, type TestResult } from "./SettingTests.tsx"
import {
  problemText,
  type Section,
  sections,
  sectionTitle,
  settingInput,
  type SettingLabel,
  settingLabel,
  valueText
} from "./SettingTexts.ts"

const inSection = (section: Section, key: SettingKey): boolean => fieldOf(key).section === section

const isGuarded = (section: Section): boolean => hasGuarded(settingKeys.filter((key) => inSection(section, key)))

interface RowProps {
  readonly context: UserContext
  readonly setting: SettingView
  readonly label: SettingLabel
  readonly state: FormState
}

/** A button of one setting in the form of its section; `label` says which setting, to those who hear the page. */
const RowButton = (
  { label, look, name, setting, text }: Pick<RowProps, "setting"> & Record<"label" | "look" | "name" | "text", string>
) => (
  <button type="submit" class={`btn btn-sm ${look}`} name={name} value={setting.key} aria-label={label}>{text}</button>
)

/** Whether the file says something else than everybody has who says nothing. */
const isOfFile = ({ fileText, isSet, key, kind, source }: SettingView): boolean =>
  source === "file" && (kind === "secret" ? isSet : fileText !== defaultTexts()[key])

/** Where a value comes from that is not the default, and how it gets back to what the file says. */
const Source = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  const { fileText, kind, source, updatedAt, updatedBy } = setting
  if (source === "file") return isOfFile(setting) ? <Badge tone="secondary">{context.say("configYaml")}</Badge> : null
  const by = updatedAt === null || updatedBy === null
    ? undefined
    : say("source.by", { who: updatedBy, at: context.formats.time(updatedAt) })
  return (
    <>
      <span title={by}>
        <Badge tone="blue">{say("source.override")}</Badge>
      </span>
      {kind === "secret" ? null : (
        <span class="text-secondary break-anywhere">
          {say("default", { value: valueText(context, setting, fileText) })}
        </span>
      )}
      <RowButton
        look="btn-ghost-secondary"
        setting={setting}
        name="reset"
        text={say("reset")}
        label={say("reset.label", { name: label.label })}
      />
    </>
  )
}

/** Removes a saved value that its input does not show: a secret or an image. */
const RemoveButton = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  return (
    <RowButton
      setting={setting}
      name="remove"
      text={say("secret.remove")}
      label={say("secret.remove.label", { name: label.label })}
      look="btn-ghost-danger"
    />
  )
}

const SecretState = (props: RowProps) => {
  const { setting, context } = props
  const say = sayOf(context, "settings")
  return !setting.isSet ? <Badge tone="secondary">{say("notSet")}</Badge> : (
    <>
      <Badge tone="green">{say("set")}</Badge>
      <RemoveButton {...props} />
    </>
  )
}

/** The image in effect, and a button that goes back to the default one. */
const ImageState = (props: RowProps) => {
  const { setting, context } = props
  return setting.text === "" ? null : (
    <>
      <img
        class="setting-logo"
        src={logoPath({ logo: setting.text })}
        alt={sayOf(context, "settings")("image.now")}
      />
      <RemoveButton {...props} />
    </>
  )
}

/** What is not shown in its input has nothing to compare. */
const isShown = ({ kind }: SettingView): boolean => kind !== "secret" && kind !== "image"

const SettingRow = (props: RowProps) => {
  const { label, setting: { key, kind, text }, state, context } = props
  const typed = state.values.getAll(key).at(-1)
  return (
    <div class="setting-row">
      <Inputs state={state} inputs={[settingInput(context, props.setting, label)]} />
      <div class="d-flex flex-wrap align-items-center gap-2 small">
        {kind === "secret" ? <SecretState {...props} /> : null}
        {kind === "image" ? <ImageState {...props} /> : null}
        <Source {...props} />
        {/* What is in effect is beside what was typed, so that a refused form shows both. */}
        {typed === undefined || typed === text || !isShown(props.setting)
          ? null
          : (
            <span class="break-anywhere">
              {sayOf(context, "settings")("now", { value: valueText(context, props.setting, text) })}
            </span>
          )}
      </div>
    </div>
  )
}

interface Shown {
  /** Of a form that was refused. */
  readonly state?: FormState
  readonly tested?: TestResult
}

interface SettingsPageProps extends Shown {
  readonly context: UserContext
  readonly at: Section
  readonly view: SettingsView
  readonly publicUrl: string
  /** In place of a code, where a proof is asked for. */
  readonly passkey: ComponentChild
}

interface RowsProps extends SettingsPageProps {
  readonly settings: ReadonlyArray<SettingView>
}

const Rows = ({ settings, state = emptyForm, context }: RowsProps) => (
  <div class="row g-4">
    {settings.map((setting) => (
      <div key={setting.key} class={setting.kind === "lines" ? "col-12" : "col-md-6"}>
        <SettingRow {...{ context, setting, state }} label={settingLabel(context, setting.key)} />
      </div>
    ))}
  </div>
)

/** What few need, folded; open where something of it is wrong. */
const Advanced = (props: RowsProps) => {
  const { settings, state = emptyForm, context } = props
  const say = sayOf(context, "settings")
  if (settings.length === 0) return null
  const changed = settings.filter((setting) => setting.source === "override" || isOfFile(setting)).length
  return (
    <details class="setting-advanced mt-4" open={settings.some(({ key }) => state.problems[key] !== undefined)}>
      <summary>
        {say("advanced")}{" "}
        {changed === 0 ? null : <Badge tone="blue">{say("advanced.changed", { count: changed })}</Badge>}
      </summary>
      <div class="pt-3">
        <Rows {...props} />
      </div>
    </details>
  )
}

/** The password, needed for some of a section's settings. */
const ProofRows = ({ state = emptyForm, passkey, context }: SettingsPageProps) => (
  <div class="mt-4">
    <Inputs
      state={state}
      inputs={staffInputs(context, { hint: sayOf(context, "settings")("proof.hint"), required: false })}
    />
    {passkey}
  </div>
)

const SectionCard = (props: SettingsPageProps) => {
  const { at, state = emptyForm, view, context } = props
  const say = sayOf(context, "settings")
  const settings = view.settings.filter(({ key }) => fieldOf(key).section === at)
  const isAdvanced = ({ key }: SettingView): boolean => fieldOf(key).advanced === true
  return (
    <Card title={sectionTitle(context, at)}>
      <PostForm
        context={context}
        action="/admin/settings"
        class="card-body"
        files={settings.some(({ kind }) => kind === "image")}
      >
        {/* Enter in a field presses the first button of its form. */}
        <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true">{say("save")}</button>
        <input type="hidden" name="section" value={at} />
        <input type="hidden" name="revision" value={view.revision} />
        <FormAlert state={state} />
        <Rows {...props} settings={settings.filter((setting) => !isAdvanced(setting))} />
        <Advanced {...props} settings={settings.filter(isAdvanced)} />
        {isGuarded(at) ? <ProofRows {...props} /> : null}
        <button type="submit" class="btn btn-primary mt-4">{say("save")}</button>
      </PostForm>
      {isTested(at) ? <ConnectionTest {...props} at={at} /> : null}
    </Card>
  )
}

const pathOf = (section: Section) => `/admin/settings/${section}` as const

const SectionLinks = ({ at, context }: Pick<SettingsPageProps, "at" | "context">) => (
  <nav class="btn-list mb-3" aria-label={sayOf(context, "settings")("sections")}>
    {sections.map((section) => (
      <a
        key={section}
        class={`btn btn-sm ${section === at ? "btn-primary" : ""}`}
        href={pathOf(section)}
        aria-current={section === at ? "page" : undefined}
      >
        {sectionTitle(context, section)}
      </a>
    ))}
  </nav>
)

const show = (context: UserContext, at: Section, shown: Shown = {}) =>
  Effect.gen(function*() {
    const say = sayOf(context, "settings")
    const props = {
      context,
      at,
      view: yield* (yield* SettingsAdmin).view,
      publicUrl: (yield* PublicAddress).url(),
      passkey: isGuarded(at) ? yield* staffPasskey(context) : null,
      ...shown
    }
    return page(
      `${sectionTitle(context, at)} · ${say("title")}`,
      <>
        <PageHeading title={say("title")} lead={say("lead")} />
        <SectionLinks context={context} at={at} />
        <Done context={context} texts={{ saved: say("done.saved"), same: say("done.same") }} />
        <SectionCard {...props} />
      </>
    )
  })

const problemsOf = (context: UserContext, section: Section, { problems }: SettingsRefused): Problems => {
  const told: { [name: string]: string } = {}
  for (const { key, why } of problems) {
    const text = problemText(context, key, why)
    // What is wrong in another section is said above this one.
    if (inSection(section, key)) {
      told[key] ??= text
    } else {
      const elsewhere = `${settingLabel(context, key).label}: ${text}`
      told["form"] = told["form"] === undefined ? elsewhere : `${told["form"]} ${elsewhere}`
    }
  }
  return told
}

const sectionOf = (name: string | null | undefined): Effect.Effect<Section, PageNotFound> => {
  const section = oneOf(sections, name)
  return section === undefined ? notFound() : Effect.succeed(section)
}

/** A logo that is too large is refused beside its field as long as it can be read at all. */
const formBounds = { bytesMax: 2_097_152, fieldsMax: 100 }

const saveForm = adminForm("/admin/settings", {
  read: readAnyForm(formBounds),
  run: (context, fields) =>
    Effect.gen(function*() {
      const section = yield* sectionOf(fields.get("section"))
      const admin = yield* SettingsAdmin
      const changes = changesIn(fields, (yield* admin.view).settings, section)
      if (changes.size > 0) {
        if (hasGuarded(changes.keys())) yield* proveStaff(context, fields)
        yield* admin.save(actorOf(context), changes, fields.get("revision") ?? "").pipe(
          Effect.catchTags({
            SettingsRefused: (error) => Effect.fail(refuse(problemsOf(context, section, error))),
            ChangedMeanwhile: refusing({ form: sayOf(context, "settings")("changed") }, 409)
          })
        )
      }
      return redirect(`${pathOf(section)}?done=${changes.size > 0 ? "saved" : "same"}`)
    }),
  again: (context, state) =>
    Effect.flatMap(sectionOf(state.values.get("section")), (at) => show(context, at, { state }))
})

const testForm = adminForm("/admin/settings/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const section = oneOf(testedSections, fields.get("section"))
      if (section === undefined) return yield* notFound()
      return yield* show(context, section, { tested: yield* testConnection(context, section) })
    })
})

export const SettingsRoutes = routes(
  adminPage("/admin/settings", (context) => show(context, "site")),
  adminPage("/admin/settings/:section", (context) =>
    Effect.gen(function*() {
      return yield* show(context, yield* sectionOf((yield* HttpRouter.params)["section"]))
    })),
  saveForm,
  testForm
)
