/**
 * `/admin/settings`: what administrators may change while servers run. A card with a form for each section: every field with what is in
 * effect, where that comes from, and the way back to the default. A field that is not sent, or that says what is in effect already, is
 * left as it is; so is a secret that is left empty. A secret is only ever said to be set or not.
 */
import { Effect } from "effect"
import { fieldOf, isSettingKey, type SettingKey } from "../../../../config/SettingDocument.ts"
import { Connections } from "../../../../orders/Connections.ts"
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
import { ButtonForm, FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Icon } from "../../kit/Icon.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Badge, Copyable, Done, Notice, PageHeading, Panel } from "../../kit/Parts.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import {
  problemText,
  type Section,
  sections,
  sectionTitles,
  settingInput,
  type SettingLabel,
  settingLabels,
  valueText
} from "./SettingTexts.ts"

interface RowProps {
  readonly context: UserContext
  readonly setting: SettingView
  readonly label: SettingLabel
  readonly state: FormState
  /** All of the section is as config.yaml has it, which is said once above it. */
  readonly isPlain: boolean
}

/** A button of one setting in the form of its section; `label` says which setting, to those who hear the page. */
const RowButton = (
  { label, look, name, setting, text }: Pick<RowProps, "setting"> & Record<"label" | "look" | "name" | "text", string>
) => (
  <button type="submit" class={`btn btn-sm ${look}`} name={name} value={setting.key} aria-label={label}>{text}</button>
)

/** Where a value comes from, and how it gets back to the default. */
const Source = ({ isPlain, label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  const { fileText, kind, source, updatedAt, updatedBy } = setting
  if (source === "file") return isPlain ? null : <Badge tone="secondary">{context.say("configYaml")}</Badge>
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

const SecretState = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  return !setting.isSet ? <Badge tone="secondary">{say("notSet")}</Badge> : (
    <>
      <Badge tone="green">{say("set")}</Badge>
      <RowButton
        setting={setting}
        name="remove"
        text={say("secret.remove")}
        label={say("secret.remove.label", { name: label.label })}
        look="btn-ghost-danger"
      />
    </>
  )
}

const SettingRow = (props: RowProps) => {
  const { label, setting: { key, kind, text }, state, context } = props
  const typed = state.values.get(key)
  return (
    <div class="setting-row">
      <Inputs state={state} inputs={[settingInput(context, props.setting, label)]} />
      <div class="d-flex flex-wrap align-items-center gap-2 small">
        {kind === "secret" ? <SecretState {...props} /> : null}
        <Source {...props} />
        {/* What is in effect is beside what was typed, so that a refused form shows both. */}
        {kind === "secret" || typed === null || typed === text
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

/** How a test of a payment provider went, with what the provider said where it did not go well. */
interface ConnectionResult {
  readonly provider: "epay" | "stripe"
  readonly outcome: "ok" | "unset" | "refused" | "unavailable"
  readonly why?: string
}

interface Shown {
  /** The section whose form was refused, with what was typed. */
  readonly section?: Section
  readonly state?: FormState
  readonly tested?: ConnectionResult
}

interface SettingsPageProps extends Shown {
  readonly context: UserContext
  readonly view: SettingsView
  readonly publicUrl: string
}

/** The address that a provider calls back, and a test of the connection to it. */
const ProviderParts = (
  { at, publicUrl, tested, context }: SettingsPageProps & { readonly at: "epay" | "stripe" }
) => {
  const say = sayOf(context, "settings")
  const callback = {
    epay: { title: say("notify"), path: "/api/pay/epay/notify", hint: say("notify.hint") },
    stripe: { title: say("webhook"), path: "/api/pay/stripe/webhook", hint: say("webhook.hint") }
  }[at]
  const why = tested?.why ?? ""
  const outcomes = {
    ok: say("test.ok"),
    unset: say("test.unset"),
    refused: say("test.refused", { why }),
    unavailable: say("test.unavailable", { why })
  }
  return (
    <div class="card-body border-top">
      <h3 class="h4">{callback.title}</h3>
      <Copyable id={`${at}-callback`} text={publicUrl + callback.path} label={say("copy")} copied={say("copied")} />
      <p class="text-secondary small mt-2 break-anywhere">{callback.hint}</p>
      {tested?.provider === at
        ? <Notice kind={tested.outcome === "ok" ? "success" : "danger"}>{outcomes[tested.outcome]}</Notice>
        : null}
      <ButtonForm
        context={context}
        // The page that answers opens where the result is said.
        action={`/admin/settings/test#${at}-callback`}
        class="d-flex flex-wrap align-items-center gap-2"
        fields={{ provider: at }}
        button={
          <>
            <Icon name="check" />
            {say("test")}
          </>
        }
      >
        <span class="text-secondary small">{say("test.hint")}</span>
      </ButtonForm>
    </div>
  )
}

const SectionCard = (props: SettingsPageProps & { readonly at: Section; readonly title: string }) => {
  const { at, title, view, context } = props
  const say = sayOf(context, "settings")
  const labels = settingLabels(context)
  const state = props.section === at ? props.state ?? emptyForm : emptyForm
  const settings = view.settings.filter(({ key }) => fieldOf(key).section === at)
  const isPlain = settings.every(({ source }) => source === "file")
  return (
    <section class="card mb-3" id={at} aria-labelledby={`${at}-title`}>
      <div class="card-header">
        <h2 class="card-title" id={`${at}-title`}>{title}</h2>
        {isPlain ? <div class="card-actions text-secondary">{say("source.file")}</div> : null}
      </div>
      <PostForm context={context} action="/admin/settings" class="card-body">
        {/* Enter in a field presses the first button of its form. */}
        <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true">{say("save")}</button>
        <input type="hidden" name="section" value={at} />
        <input type="hidden" name="revision" value={view.revision} />
        <FormAlert state={state} />
        {/* Said where it was saved: the page is long. */}
        {context.query.get("section") === at
          ? <Done context={context} texts={{ saved: say("done.saved"), same: say("done.same") }} />
          : null}
        <div class="row g-4">
          {settings.map((setting) => (
            <div key={setting.key} class={setting.key === "site.notice" ? "col-12" : "col-md-6"}>
              <SettingRow {...{ context, setting, state, isPlain }} label={labels[setting.key]} />
            </div>
          ))}
        </div>
        <button type="submit" class="btn btn-primary mt-4">{say("save")}</button>
      </PostForm>
      {at === "epay" || at === "stripe" ? <ProviderParts {...props} at={at} /> : null}
    </section>
  )
}

const show = (context: UserContext, shown: Shown = {}) =>
  Effect.gen(function*() {
    const say = sayOf(context, "settings")
    const props = {
      context,
      view: yield* (yield* SettingsAdmin).view,
      publicUrl: (yield* PublicAddress).url(),
      ...shown
    }
    const titles = sectionTitles(context)
    return page(
      say("title"),
      <>
        <PageHeading title={say("title")} lead={say("lead")} />
        <Panel class="mb-3">
          <div class="btn-list">
            {sections.map((at) => <a key={at} class="btn btn-sm" href={`#${at}`}>{titles[at]}</a>)}
          </div>
        </Panel>
        {sections.map((at) => <SectionCard key={at} {...props} at={at} title={titles[at]} />)}
      </>
    )
  })

const inSection = (section: Section, key: SettingKey): boolean => fieldOf(key).section === section

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
      const changes = changesIn(fields, (yield* admin.view).settings, section)
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

export const SettingsRoutes = routes(
  adminPage("/admin/settings", (context) => show(context)),
  saveForm,
  testForm
)
