/**
 * Pages without navigation that are one card: signing in and what belongs to it; and the form of most of them.
 */
import { Effect, Option, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import type { ComponentChildren } from "preact"
import { type FormState, type Page, page, refusing } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { refusePassword } from "../text/SharedTexts.ts"
import { FormAlert, InputForm } from "./Forms.tsx"
import type { Input } from "./Inputs.tsx"

export interface SheetProps {
  readonly title: string
  readonly lead: ComponentChildren
  readonly children?: ComponentChildren
  /** Below the card. */
  readonly below?: ComponentChildren
  readonly status?: number
}

export const sheetPage = ({ below, children, lead, status = 200, title }: SheetProps): Page =>
  page(
    title,
    <>
      <section class="card card-md mt-sm-4">
        <div class="card-body">
          <h1 class="h2 mb-1">{title}</h1>
          <p class="text-secondary mb-4">{lead}</p>
          {children}
        </div>
      </section>
      {below === undefined ? null : <p class="text-center text-secondary mt-3">{below}</p>}
    </>,
    { bare: true, status }
  )

/** Says what has happened, and leads to signing in. */
export const endPage = (context: PageContext, { children, ...sheet }: SheetProps): Page =>
  sheetPage({
    ...sheet,
    children: [children, <a class="btn btn-primary w-100" href="/login">{context.say("action.login")}</a>]
  })

/** Asks for an e-mail address that somebody signs in with. */
export const emailInput = (
  context: PageContext,
  more: {
    readonly label?: string
    readonly hint?: string | undefined
    readonly autofocus?: boolean
    readonly initial?: string
  }
): Input => ({
  is: "username",
  name: "email",
  label: sayOf(context, "login")("email"),
  maxlength: 254,
  required: true,
  ...more
})

interface EntryProps {
  readonly context: PageContext
  readonly state: FormState
  readonly action: string
  readonly submit: string
  readonly isNew?: boolean
  /** The address that is there already, and what is said of it. */
  readonly email?: string | undefined
  readonly emailHint?: string | undefined
  /** Where to go on to, when that was asked for. */
  readonly next?: string | undefined
}

/** E-mail and password, for somebody new or somebody known. */
export const EntryForm = (
  { action, email, emailHint, isNew = false, next, state, submit, context }: EntryProps
) => {
  const say = sayOf(context, "login")
  const isTyped = (state.values.get("email") ?? email ?? "") !== "" && state.problems["email"] === undefined
  return (
    <InputForm
      context={context}
      action={action}
      state={state}
      fields={{ next }}
      inputs={[
        emailInput(context, {
          hint: emailHint,
          autofocus: !isTyped,
          ...(email === undefined ? {} : { initial: email })
        }),
        {
          is: isNew ? "secret" : "password",
          name: "password",
          label: say("password"),
          hint: isNew ? sayOf(context, "password")("rules") : undefined,
          required: true,
          autofocus: isTyped
        }
      ]}
      look="btn-primary w-100 mt-2"
      submit={submit}
    >
      <FormAlert state={state} />
    </InputForm>
  )
}

interface PasswordFormProps {
  readonly context: PageContext
  readonly state: FormState
  /** Whose password it is: shown, and kept by password managers with it. */
  readonly email: string
  readonly label: string
  readonly submit: string
}

const PasswordForm = ({ context, email, label, state, submit }: PasswordFormProps) => (
  <InputForm
    context={context}
    action={context.pathname}
    state={state}
    inputs={[{
      is: "secret",
      name: "password",
      label,
      hint: sayOf(context, "password")("rules"),
      required: true,
      autofocus: true
    }]}
    look="btn-primary w-100 mt-2"
    submit={submit}
  >
    <FormAlert state={state} />
    <div class="mb-3">
      <label class="form-label" for="known-email">{sayOf(context, "login")("email")}</label>
      <input class="form-control" type="email" id="known-email" value={email} autocomplete="username" readonly />
    </div>
  </InputForm>
)

interface LinkedPasswordProps extends Omit<PasswordFormProps, "email"> {
  readonly title: string
  lead(email: string): string
  /** Whose password it is, where the link is good. */
  readonly email: Option.Option<string>
  /** The page of a link that is not good. */
  readonly invalid: Page
}

/** A new password, asked for where a link leads that was mailed; the page takes the form, too. */
export const linkedPasswordPage = ({ email, invalid, lead, title, ...form }: LinkedPasswordProps): Page =>
  Option.match(email, {
    onNone: () => invalid,
    onSome: (email) =>
      sheetPage({
        title,
        lead: <span class="break-anywhere">{lead(email)}</span>,
        children: <PasswordForm {...form} email={email} />
      })
  })

/** The secret at the end of the address. */
export const linkToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

/** What a form of these pages says of its sender. */
export const entrantOf = (context: PageContext, fields: URLSearchParams) => ({
  email: fields.get("email") ?? "",
  password: Redacted.make(fields.get("password") ?? ""),
  address: context.address,
  userAgent: context.userAgent,
  language: context.language
})

/** Why there is no new account; `taken` says that the e-mail address has one. */
export const entrantRefusals = (context: PageContext, taken: string) => ({
  InvalidEmail: refusing({ email: sayOf(context, "login")("email.invalid") }),
  EmailTaken: refusing({ email: taken }),
  PasswordRefused: refusePassword(context, "password")
})
