/**
 * What handlers of pages answer, and the failures that have a page of their own.
 */
import { Effect, type Redacted, Schema } from "effect"
import type { HttpServerResponse } from "effect/http"
import type { SqlError } from "effect/sql"
import type { ComponentChildren } from "preact"
import type { AccountUnavailable } from "../../accounts/AccountError.ts"
import type { TooBusy } from "../../identity/IdentityError.ts"
import type { NotConfirmed } from "../../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../../postgres/DatabaseUnavailable.ts"

/** A page in the frame. */
export interface Page {
  readonly _tag: "Page"
  readonly title: string
  readonly body: ComponentChildren
  readonly status?: number
  /** A browser without scripts asks for the page again after this many seconds. */
  readonly refreshSeconds?: number
  /** The new token of the visitor's session. */
  readonly session?: Redacted.Redacted<string>
  /** Without navigation, in the middle: signing in and the like. */
  readonly bare?: boolean
  /** Origins that this page's forms may go to besides this site and the payment providers. */
  readonly formOrigins?: ReadonlyArray<string>
}

/** A part of a page, for htmx. */
export interface Part {
  readonly _tag: "Part"
  readonly body: ComponentChildren
  readonly status?: number
}

/** Going on to another page, by GET. */
export interface Redirect {
  readonly _tag: "Redirect"
  /** A path of this site, or an address of a payment provider that the page's policy names. */
  readonly to: string
  /** Signs in with this session; null signs out. */
  readonly session?: Redacted.Redacted<string> | null
  /** The token of a login whose second factor is asked for next. */
  readonly pending?: Redacted.Redacted<string>
  /** Cookies that remember a choice for a year, by name. */
  readonly choices?: Readonly<Record<string, string>>
}

/** Anything else, such as a download. */
export interface Raw {
  readonly _tag: "Raw"
  readonly response: HttpServerResponse.HttpServerResponse
}

export type Answer = Page | Part | Redirect | Raw

export const page = (title: string, body: ComponentChildren, more: Partial<Omit<Page, "_tag">> = {}): Page => ({
  _tag: "Page",
  title,
  body,
  ...more
})

export const part = (body: ComponentChildren, status = 200): Part => ({ _tag: "Part", body, status })

export const redirect = (to: string, more: Partial<Omit<Redirect, "_tag" | "to">> = {}): Redirect => ({
  _tag: "Redirect",
  to,
  ...more
})

export const raw = (response: HttpServerResponse.HttpServerResponse): Raw => ({ _tag: "Raw", response })

/** There is nothing at this address for this visitor. */
export class PageNotFound extends Schema.TaggedError<PageNotFound>()("PageNotFound", {}) {}

/** What is answered where the row of an address is not there. */
export const notFound = () => Effect.fail(new PageNotFound())

/** By field name; what concerns the form as a whole is under `form`. */
export type Problems = Readonly<Record<string, string>>

/** A form was not carried out, for these reasons. Nothing has changed. */
export class FormRefused extends Schema.TaggedError<FormRefused>()("FormRefused", {
  problems: Schema.Record(Schema.String, Schema.String),
  status: Schema.Number
}) {}

export const refuse = (problems: Problems, status = 422): FormRefused => new FormRefused({ problems, status })

/** Answers an error of a use case by refusing the form. */
export const refusing = (problems: Problems, status?: number) => () => Effect.fail(refuse(problems, status))

/** The database did not answer: trying again later is all there is to do. */
export type Unavailable =
  | DatabaseUnavailable
  | AccountUnavailable
  | TooBusy
  | SqlError.SqlError

/** What waits for a second person, or cannot, has a page that says so. */
export type PageProblem = PageNotFound | Unavailable | NotConfirmed

/** A form as it is shown: what was typed, and what is wrong with it. */
export interface FormState {
  readonly values: URLSearchParams
  readonly problems: Problems
}

export const emptyForm: FormState = { values: new URLSearchParams(), problems: {} }

/** What an address may name that is not there: for the visitor, there is no such page. */
const notThere = [
  "AnnouncementNotFound",
  "ApiKeyNotFound",
  "BatchNotFound",
  "ChannelModelUnknown",
  "ChannelNotFound",
  "CodeNotFound",
  "ConfirmationNotFound",
  "EventNotFound",
  "GroupUnknown",
  "IdentityNotFound",
  "ImportNotFound",
  "InviteNotFound",
  "ModelNotFound",
  "OrderNotFound",
  "PasskeyNotFound",
  "PlanUnknown",
  "RefundNotFound",
  "SubscriptionNotFound",
  "UnknownAccount",
  "UserNotFound"
] as const

export interface NotThere {
  readonly _tag: typeof notThere[number]
}

/** Fails with `PageNotFound` where the thing that the address names is not there. */
export const orNotFound = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, NotThere> => notThere.some((tag) => tag === error._tag),
    () => new PageNotFound()
  )
