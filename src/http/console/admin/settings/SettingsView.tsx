/**
 * The settings, a card for each section: every field with what is in effect, where that comes from, and the way back to the
 * default. A secret is only ever said to be set or not.
 */
import { fieldOf } from "../../../../config/SettingDocument.ts"
import type { SettingsView as View, SettingView } from "../../../../settings/SettingsAdmin.ts"
import { emptyForm, type FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, Card, Copyable, PageHeading } from "../../ui/Parts.tsx"
import { SettingInput } from "./SettingInput.tsx"
import { type SettingLabel, settingLabels } from "./SettingLabels.ts"
import { type Section, sections } from "./SettingsText.ts"

/** How a test went; `why` undefined: well. */
export interface ConnectionResult {
  readonly provider: "epay" | "stripe"
  readonly why: { readonly kind: "unset" | "refused" | "unavailable"; readonly detail: string } | undefined
}

const titleOf = (context: UserContext, section: Section): string => {
  const say = sayOf(context, "settings")
  return {
    site: say("section.site"),
    registration: say("section.registration"),
    finance: say("section.finance"),
    confirm: say("section.confirm"),
    billing: say("section.billing"),
    epay: say("section.epay"),
    stripe: say("section.stripe")
  }[section]
}

interface RowProps {
  readonly context: UserContext
  readonly setting: SettingView
  readonly label: SettingLabel
  readonly state: FormState
}

/** Where a value comes from, and how it gets back to the default. */
const Source = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  if (setting.source === "file") return <span class="text-secondary">{say("source.file")}</span>
  const fileText = label.options?.[setting.fileText] ?? setting.fileText
  const title = setting.updatedAt === null || setting.updatedBy === null
    ? undefined
    : say("source.by", { who: setting.updatedBy, at: context.formats.time(setting.updatedAt) })
  return (
    <span class="d-inline-flex flex-wrap align-items-center gap-2">
      <span title={title}>
        <Badge tone="blue">{say("source.override")}</Badge>
      </span>
      {setting.kind === "secret" ? null : (
        <span class="text-secondary break-anywhere">
          {say("default", { value: fileText === "" ? say("empty") : fileText })}
        </span>
      )}
      <button
        type="submit"
        class="btn btn-sm btn-ghost-secondary"
        name="reset"
        value={setting.key}
        aria-label={say("reset.label", { name: label.label })}
      >
        {say("reset")}
      </button>
    </span>
  )
}

const SecretState = ({ label, setting, context }: RowProps) => {
  const say = sayOf(context, "settings")
  return (
    <span class="d-inline-flex flex-wrap align-items-center gap-2 me-2">
      {setting.isSet
        ? <Badge tone="green">{say("set")}</Badge>
        : <Badge tone="secondary">{say("notSet")}</Badge>}
      {setting.isSet
        ? (
          <button
            type="submit"
            class="btn btn-sm btn-ghost-danger"
            name="remove"
            value={setting.key}
            aria-label={say("secret.remove.label", { name: label.label })}
          >
            {say("secret.remove")}
          </button>
        )
        : null}
    </span>
  )
}

const SettingRow = (props: RowProps) => {
  const { label, setting, state, context } = props
  const say = sayOf(context, "settings")
  const typed = state.values.get(setting.key)
  // Beside what was typed stands what is in effect, so that a refused form shows both.
  const isNow = setting.kind !== "secret" && typed !== null && typed !== setting.text
  return (
    <div class="setting-row">
      <SettingInput context={context} setting={setting} label={label} state={state} keep={say("secret.keep")} />
      <div class="d-flex flex-wrap align-items-center small">
        {setting.kind === "secret" ? <SecretState {...props} /> : null}
        <Source {...props} />
        {isNow ? <span class="ms-2 break-anywhere">{say("now", { value: setting.text })}</span> : null}
      </div>
    </div>
  )
}

const ProviderParts = (
  { publicUrl, section, tested, context }: {
    readonly context: UserContext
    readonly section: "epay" | "stripe"
    readonly publicUrl: string
    readonly tested: ConnectionResult | undefined
  }
) => {
  const say = sayOf(context, "settings")
  const copy = { label: say("copy"), copied: say("copied") }
  const result = tested?.provider === section ? tested : undefined
  return (
    <div class="card-body border-top">
      <h3 class="h4">{section === "stripe" ? say("webhook") : say("notify")}</h3>
      <Copyable
        id={`${section}-callback`}
        text={section === "stripe" ? `${publicUrl}/api/pay/stripe/webhook` : `${publicUrl}/api/pay/epay/notify`}
        {...copy}
      />
      <p class="text-secondary small mt-2 break-anywhere">
        {section === "stripe" ? say("webhook.hint") : say("notify.hint")}
      </p>
      {result === undefined
        ? null
        : result.why === undefined
        ? <Notice kind="success">{say("test.ok")}</Notice>
        : (
          <Notice kind="danger">
            {result.why.kind === "unset"
              ? say("test.unset")
              : result.why.kind === "refused"
              ? say("test.refused", { why: result.why.detail })
              : say("test.unavailable", { why: result.why.detail })}
          </Notice>
        )}
      <PostForm context={context} action="/admin/settings/test" class="d-flex flex-wrap align-items-center gap-2">
        <input type="hidden" name="provider" value={section} />
        <button type="submit" class="btn">
          <Icon name="check" />
          {say("test")}
        </button>
        <span class="text-secondary small">{say("test.hint")}</span>
      </PostForm>
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

const SectionCard = (props: SettingsPageProps & { readonly at: Section }) => {
  const { at, view, context } = props
  const say = sayOf(context, "settings")
  const labels = settingLabels(context)
  const state = props.section === at ? props.state : emptyForm
  return (
    <section class="card mb-3" id={at} aria-labelledby={`${at}-title`}>
      <div class="card-header">
        <h2 class="card-title" id={`${at}-title`}>{titleOf(context, at)}</h2>
      </div>
      <PostForm context={context} action="/admin/settings" class="card-body">
        {/* Enter in a field presses the first button of its form. */}
        <button type="submit" class="visually-hidden" tabIndex={-1} aria-hidden="true">{say("save")}</button>
        <input type="hidden" name="section" value={at} />
        <input type="hidden" name="revision" value={view.revision} />
        <FormAlert state={state} />
        <div class="row g-4">
          {view.settings.filter(({ key }) => fieldOf(key).section === at).map((setting) => (
            <div key={setting.key} class={setting.key === "site.notice" ? "col-12" : "col-md-6"}>
              <SettingRow context={context} setting={setting} label={labels[setting.key]} state={state} />
            </div>
          ))}
        </div>
        <button type="submit" class="btn btn-primary mt-4">{say("save")}</button>
      </PostForm>
      {at === "epay" || at === "stripe"
        ? <ProviderParts context={context} section={at} publicUrl={props.publicUrl} tested={props.tested} />
        : null}
    </section>
  )
}

export const SettingsPage = (props: SettingsPageProps) => {
  const { context } = props
  const say = sayOf(context, "settings")
  const done = context.isForm ? null : context.query.get("done")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      {done === "saved" ? <Notice kind="success">{say("done.saved")}</Notice> : null}
      {done === "same" ? <Notice kind="info">{say("done.same")}</Notice> : null}
      <Card class="mb-3">
        <div class="card-body btn-list">
          {sections.map((section) => (
            <a key={section} class="btn btn-sm" href={`#${section}`}>{titleOf(context, section)}</a>
          ))}
        </div>
      </Card>
      {sections.map((section) => <SectionCard key={section} {...props} at={section} />)}
    </>
  )
}
