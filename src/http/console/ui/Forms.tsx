/**
 * Forms: every one carries its token, every field its label, its hint, what was typed, and beside it what is wrong with it,
 * tied together for those who hear a page rather than see it.
 */
import type { AllHTMLAttributes, ComponentChildren } from "preact"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Icon } from "./Icon.tsx"

/** A form that is posted to this site. */
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

const noticeIcons = { success: "check", info: "info", warning: "alert", danger: "alert" } as const

/** Something that has been done, or that one should know. */
export const Notice = (
  { children, kind }: { readonly kind: "success" | "info" | "warning" | "danger"; readonly children: ComponentChildren }
) => (
  <div class={`alert alert-${kind}`} role={kind === "danger" || kind === "warning" ? "alert" : "status"}>
    <div class="alert-icon">
      <Icon name={noticeIcons[kind]} />
    </div>
    <div>{children}</div>
  </div>
)

export interface FieldProps {
  readonly state: FormState
  readonly name: string
  readonly label: string
  readonly hint?: ComponentChildren
  readonly type?: "text" | "email" | "password" | "date"
  readonly autocomplete?: string
  readonly required?: boolean
  readonly autofocus?: boolean
  readonly inputmode?: "decimal" | "numeric"
  readonly maxlength?: number
  readonly placeholder?: string
  /** Shown where nothing was typed yet. */
  readonly initial?: string
  /** Stands before the input, such as a currency. */
  readonly prefix?: string
  /** Attributes for htmx. */
  readonly live?: Readonly<Record<string, string>>
}

type Common = Pick<
  AllHTMLAttributes<HTMLInputElement>,
  | "id"
  | "name"
  | "class"
  | "autocomplete"
  | "required"
  | "autofocus"
  | "maxlength"
  | "placeholder"
  | "aria-invalid"
  | "aria-describedby"
>

/** What was typed is shown again, except for a password. */
const inputOf = ({ inputmode, type }: FieldProps, common: Common, value: string | undefined) => {
  switch (type) {
    case "password":
      return <input type="password" {...common} />
    case "email":
      return <input type="email" value={value} {...common} />
    case "date":
      return <input type="date" value={value} {...common} />
    default:
      return <input type="text" inputmode={inputmode} value={value} {...common} />
  }
}

/** An input that is described by its hint and its problem. */
export const Field = (props: FieldProps) => {
  const { hint, label, name, state } = props
  const id = `field-${name}`
  const problem = state.problems[name]
  const described = [...(problem === undefined ? [] : [`${id}-problem`]), ...(hint === undefined ? [] : [`${id}-hint`])]
  const common = {
    id,
    name,
    class: `form-control ${problem === undefined ? "" : "is-invalid"}`,
    autocomplete: props.autocomplete,
    required: props.required,
    autofocus: props.autofocus,
    maxlength: props.maxlength,
    placeholder: props.placeholder,
    "aria-invalid": problem === undefined ? undefined : "true" as const,
    "aria-describedby": described.length === 0 ? undefined : described.join(" "),
    ...props.live
  }
  const value = state.values.get(name) ?? props.initial
  const input = inputOf(props, common, value)
  const trouble = problem === undefined
    ? null
    : <div id={`${id}-problem`} class="invalid-feedback">{problem}</div>
  return (
    <div class="mb-3">
      <label class={`form-label ${props.required === true ? "required" : ""}`} for={id}>{label}</label>
      {props.prefix === undefined
        ? <>{input}{trouble}</>
        : (
          <div class="input-group has-validation">
            <span class="input-group-text">{props.prefix}</span>
            {input}
            {trouble}
          </div>
        )}
      {hint === undefined ? null : <div id={`${id}-hint`} class="form-hint mt-1">{hint}</div>}
    </div>
  )
}
