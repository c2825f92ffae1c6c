/**
 * Forms that are posted to this site, each with its token; and whole pages of one: a form, a question, and a row that administrators
 * change.
 */
import { randomUUID } from "node:crypto"
import type { ComponentChildren, ComponentProps } from "preact"
import { emptyForm, type FormState, type Page, page } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Icon } from "./Icon.tsx"
import { type InputEntry, Inputs } from "./Inputs.tsx"
import { Card, Done, type Fact, Facts, Notice, PageHeading } from "./Parts.tsx"

export const PostForm = (
  { action, children, class: className, confirm, files, context }: {
    readonly context: PageContext
    readonly action: string
    readonly children: ComponentChildren
    readonly class?: string
    /** Asked before it is sent, where scripts run. */
    readonly confirm?: string
    /** It has files to choose. */
    readonly files?: boolean
  }
) => (
  <form
    method="post"
    action={action}
    class={className}
    data-confirm={confirm}
    enctype={files === true ? "multipart/form-data" : undefined}
    novalidate
  >
    <input type="hidden" name="csrf_token" value={context.csrf} />
    {children}
  </form>
)

/** What is wrong with a form: as a whole, and each field with a link to it. The page opens at it. */
export const FormAlert = ({ state: { problems } }: { readonly state: FormState }) => {
  // `meanwhile` marks an edit conflict, which the page shows by itself.
  const fields = Object.entries(problems).filter(([name]) => name !== "form" && name !== "meanwhile")
  if (problems["form"] === undefined && fields.length === 0) return null
  return (
    <div class="alert alert-danger" role="alert" tabIndex={-1} autofocus>
      <div class="alert-icon">
        <Icon name="alert" />
      </div>
      <div>
        {problems["form"]}
        {fields.length === 0 ? null : (
          <ul class="alert-list">
            {fields.map(([name, problem]) => (
              <li key={name}>
                <a href={`#field-${name}`}>{problem}</a>
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  )
}

/** A form that is refused as a whole goes on with a key of its own; one with a wrong field keeps its key. */
export const keyOf = ({ problems, values }: FormState): string => {
  const key = values.get("key") ?? ""
  return key === "" || problems["form"] !== undefined ? randomUUID() : key
}

interface ButtonFormProps extends Omit<ComponentProps<typeof PostForm>, "children"> {
  readonly button: ComponentChildren
  /** Classes of the button besides `btn`. */
  readonly look?: string
  readonly fields?: ComponentProps<typeof Hidden>["fields"]
  /** Below the button. */
  readonly children?: ComponentChildren
}

/** Sent with a form. What is empty is left out. */
export const Hidden = ({ fields }: { readonly fields: Readonly<Record<string, string | bigint | undefined>> }) => (
  <>
    {Object.entries(fields).map(([name, value]) =>
      value === undefined || value === "" ? null : <input key={name} type="hidden" name={name} value={String(value)} />
    )}
  </>
)

export const ButtonForm = ({ button, children, fields = {}, look = "", ...form }: ButtonFormProps) => (
  <PostForm {...form}>
    <Hidden fields={fields} />
    <button class={`btn ${look}`} type="submit">{button}</button>
    {children}
  </PostForm>
)

interface InputFormProps extends Omit<ComponentProps<typeof PostForm>, "children"> {
  readonly state?: FormState
  readonly inputs: ReadonlyArray<InputEntry>
  readonly submit: string
  /** Classes of the button besides `btn`. */
  readonly look?: string
  readonly fields?: ComponentProps<typeof Hidden>["fields"]
  /** Above the inputs. */
  readonly children?: ComponentChildren
}

/** A form that is part of a page: its inputs, and the button that sends it. */
export const InputForm = (
  { children, fields = {}, inputs, look = "btn-primary", state = emptyForm, submit, ...form }: InputFormProps
) => (
  <PostForm {...form}>
    <Hidden fields={fields} />
    {children}
    <Inputs state={state} inputs={inputs} />
    <button type="submit" class={`btn ${look}`}>{submit}</button>
  </PostForm>
)

/** Where a thing with a page of its own is switched off and on. */
export const switchOf = <Path extends string>(path: Path) =>
  ({ disable: `${path}/disable`, enable: `${path}/enable` }) as const

interface EnabledActionProps {
  readonly context: PageContext
  /** Of the page that asks, and where the form that enables is sent. */
  readonly paths: { readonly disable: string; readonly enable: string }
  readonly row: { readonly disabledAt: Date | null; readonly revision?: bigint }
  readonly say: (key: "disable" | "enable") => string
}

export const EnabledAction = ({ paths, row, say, context }: EnabledActionProps) =>
  row.disabledAt === null
    ? <a class="btn" href={paths.disable}>{say("disable")}</a>
    : <ButtonForm context={context} action={paths.enable} fields={{ revision: row.revision }} button={say("enable")} />

interface HeadedProps {
  readonly context: PageContext
  readonly title: string
  readonly lead?: ComponentChildren
  /** Beside the heading. */
  readonly actions?: ComponentChildren
  /** What has just been done, by what the address says. */
  readonly done?: ComponentProps<typeof Done>["texts"]
  readonly state?: FormState
  readonly children: ComponentChildren
}

/** A page that begins with its heading, and what was just done or is wrong. */
export const headedPage = (
  { actions, children, done = {}, lead, state = emptyForm, title, context }: HeadedProps,
  more: Parameters<typeof page>[2] = {}
): Page =>
  page(
    title,
    <>
      <PageHeading title={title} lead={lead}>{actions}</PageHeading>
      <Done context={context} texts={done} />
      <FormAlert state={state} />
      {children}
    </>,
    more
  )

interface FormCardProps {
  readonly context: PageContext
  readonly action: string
  /** Absent: there is nothing to send, and the page says why. */
  readonly submit?: string
  /** It has files to choose. */
  readonly files?: boolean
  /** What it does is not easily undone. */
  readonly danger?: boolean
  readonly back: string
  /** "Back" by default. */
  readonly backText?: string | undefined
  readonly children: ComponentChildren
}

const FormCard = ({ back, backText, children, danger = false, submit, context, ...form }: FormCardProps) => (
  <Card>
    <PostForm context={context} {...form} class="card-body">
      {children}
      <div class="btn-list mt-4">
        {submit && <button type="submit" class={`btn ${danger ? "btn-danger" : "btn-primary"}`}>{submit}</button>}
        <a class="btn btn-ghost-secondary" href={back}>{backText ?? context.say("action.back")}</a>
      </div>
    </PostForm>
  </Card>
)

export interface AskProps extends Omit<FormCardProps, "children"> {
  readonly state: FormState
  readonly title: string
  readonly lead?: ComponentChildren
  readonly text?: string
  readonly inputs?: ReadonlyArray<InputEntry>
  /** It moves money: sent twice, it counts once. */
  readonly once?: boolean
  /** Of the row as it was shown. */
  readonly revision?: bigint
  /** Above the form, such as what is at stake. */
  readonly above?: ComponentChildren
  /** Below the inputs. */
  readonly children?: ComponentChildren
}

/** A page of one form, or of a question. Its title is its heading, too. */
export const askPage = (
  { above, children, inputs = [], lead, once = false, revision, state, text, title, ...form }: AskProps
): Page =>
  page(
    title,
    <>
      <PageHeading title={title} lead={lead} />
      {above}
      <FormCard {...form}>
        <FormAlert state={state} />
        <Hidden fields={{ key: once ? keyOf(state) : undefined, revision }} />
        {text === undefined ? null : <p class="break-anywhere">{text}</p>}
        <Inputs state={state} inputs={inputs} />
        {children}
      </FormCard>
    </>
  )

/**
 * The page's own texts. `declared.text` is said of a row that config.yaml has, `now` above what the row is now, and `done.*` by what
 * has just been done, as the address says.
 */
type EditKey =
  | "disable"
  | "enable"
  | "declared.text"
  | "now"
  | "done.created"
  | "done.changed"
  | "done.enabled"
  | "done.disabled"

export interface EditPageProps {
  readonly context: PageContext
  readonly state: FormState
  readonly title: string
  readonly lead?: ComponentChildren
  readonly row: { readonly revision: bigint; readonly disabledAt: Date | null; readonly declared: boolean }
  /** The revision that the form is filled in on. */
  readonly revision: string
  readonly paths: { readonly list: string; readonly edit: string; readonly disable: string; readonly enable: string }
  readonly say: (key: EditKey) => string
  /** What the row is, to be read: first of all a table, where there is one. */
  readonly facts: ReadonlyArray<Fact>
  readonly table?: ComponentChildren
  /** Above the form, whatever it is. */
  readonly above?: ComponentChildren
  readonly children: ComponentChildren
}

export const EditPage = (props: EditPageProps) => {
  const { above, children, facts, lead, paths, revision, row, say, state, table, title, context } = props
  const isOvertaken = state.problems["meanwhile"] !== undefined
  return (
    <>
      <PageHeading title={title} lead={lead}>
        {row.declared ? undefined : <EnabledAction {...props} />}
      </PageHeading>
      <Done
        context={context}
        texts={{
          created: say("done.created"),
          changed: say("done.changed"),
          enabled: say("done.enabled"),
          disabled: say("done.disabled")
        }}
      />
      <FormAlert state={state} />
      {row.declared && state.problems["form"] === undefined
        ? <Notice kind="info">{say("declared.text")}</Notice>
        : null}
      {above}
      {row.declared || isOvertaken
        ? (
          <Card class="mb-3" title={isOvertaken ? say("now") : undefined}>
            {table}
            <div class={`card-body ${table === undefined ? "" : "border-top"}`}>
              <Facts facts={facts} />
            </div>
          </Card>
        )
        : null}
      {row.declared
        ? <a class="btn" href={paths.list}>{context.say("action.back")}</a>
        : (
          <FormCard context={context} action={paths.edit} submit={context.say("action.save")} back={paths.list}>
            <Hidden fields={{ revision }} />
            {children}
          </FormCard>
        )}
    </>
  )
}
