/**
 * The settings, a card for each section: every field with what is in effect, where that comes from, and the way back to the
 * default. A secret is only ever said to be set or not.
 */
import { fieldOf } from "../../../../config/SettingDocument.ts"
import type { SettingsView as View, SettingView } from "../../../../settings/SettingsAdmin.ts"
import { emptyForm, type FormState } from "../../Answer.ts"
import { ButtonForm, FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Icon } from "../../kit/Icon.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Badge, Card, Copyable, Done, Notice, PageHeading } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { settingInput } from "./SettingInput.ts"
import { optionNames, type SettingLabel, settingLabels } from "./SettingLabels.ts"
import { type ConnectionResult, connectionText, type Section, sections, sectionTitles } from "./SettingsText.ts"

interface RowProps {
  readonly context: UserContext
  readonly setting: SettingView
  readonly label: SettingLabel
  readonly state: FormState
}

/** A button of one setting in the form of its section; `label` says which setting, to those who hear the page. */
const RowButton = (
  { danger = false, label, name, setting, text }: Pick<RowProps, "setting"> & {
    readonly name: "reset" | "remove"
    readonly text: string
    readonly label: string
    readonly danger?: boolean
  }
) => (
  <button
    type="submit"
    class={`btn btn-sm ${danger ? "btn-ghost-danger" : "btn-ghost-secondary"}`}
    name={name}
    value={setting.key}
    aria-label={label}
  >
    {text}
  </button>
)

/** Where a value comes from, and how it gets back to the default. */
const Source = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  const { fileText, kind, source, updatedAt, updatedBy } = setting
  if (source === "file") return <span class="text-secondary">{say("source.file")}</span>
  return (
    <>
      <span
        title={updatedAt === null || updatedBy === null
          ? undefined
          : say("source.by", { who: updatedBy, at: context.formats.time(updatedAt) })}
      >
        <Badge tone="blue">{say("source.override")}</Badge>
      </span>
      {kind === "secret" ? null : (
        <span class="text-secondary break-anywhere">
          {say("default", {
            value: fileText === "" ? say("empty") : optionNames(context, setting.key)[fileText] ?? fileText
          })}
        </span>
      )}
      <RowButton
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
        danger
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
          : <span class="break-anywhere">{sayOf(context, "settings")("now", { value: text })}</span>}
      </div>
    </div>
  )
}

interface SettingsPageProps {
  readonly context: UserContext
  readonly view: View
  readonly publicUrl: string
  /** The section whose form was refused, with what was typed. */
  readonly section: Section | undefined
  readonly state: FormState
  readonly tested: ConnectionResult | undefined
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
  return (
    <div class="card-body border-top">
      <h3 class="h4">{callback.title}</h3>
      <Copyable id={`${at}-callback`} text={publicUrl + callback.path} label={say("copy")} copied={say("copied")} />
      <p class="text-secondary small mt-2 break-anywhere">{callback.hint}</p>
      {tested?.provider === at
        ? <Notice kind={tested.outcome === "ok" ? "success" : "danger"}>{connectionText(context, tested)}</Notice>
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

const SectionCard = (props: SettingsPageProps & { readonly at: Section }) => {
  const { at, view, context } = props
  const say = sayOf(context, "settings")
  const labels = settingLabels(context)
  const state = props.section === at ? props.state : emptyForm
  return (
    <section class="card mb-3" id={at} aria-labelledby={`${at}-title`}>
      <div class="card-header">
        <h2 class="card-title" id={`${at}-title`}>{sectionTitles(context)[at]}</h2>
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
          {view.settings.filter(({ key }) => fieldOf(key).section === at).map((setting) => (
            <div key={setting.key} class={setting.key === "site.notice" ? "col-12" : "col-md-6"}>
              <SettingRow context={context} setting={setting} label={labels[setting.key]} state={state} />
            </div>
          ))}
        </div>
        <button type="submit" class="btn btn-primary mt-4">{say("save")}</button>
      </PostForm>
      {at === "epay" || at === "stripe" ? <ProviderParts {...props} at={at} /> : null}
    </section>
  )
}

export const SettingsPage = (props: SettingsPageProps) => {
  const { context } = props
  const say = sayOf(context, "settings")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <Card class="mb-3">
        <div class="card-body btn-list">
          {Object.entries(sectionTitles(context)).map(([section, title]) => (
            <a key={section} class="btn btn-sm" href={`#${section}`}>{title}</a>
          ))}
        </div>
      </Card>
      {sections.map((section) => <SectionCard key={section} {...props} at={section} />)}
    </>
  )
}
