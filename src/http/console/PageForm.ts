/**
 * A page with a form: one function shows it, first as it begins, and again with what was typed when it was refused.
 */
import type { Effect } from "effect"
import { type Answer, emptyForm, type FormRefused, type FormState, type PageProblem } from "./Answer.ts"
import type { FormHandler } from "./ConsoleRoute.ts"
import { type NotThere, orNotFound } from "./NotThere.ts"
import type { UserContext } from "./PageContext.ts"

export interface PageForm<R1, R2> {
  /** Shows the form. */
  show(context: UserContext, state: FormState): Effect.Effect<Answer, PageProblem | NotThere, R1>
  /** Does what the form asks for. */
  run(context: UserContext, fields: URLSearchParams): Effect.Effect<Answer, FormRefused | PageProblem | NotThere, R2>
}

/** The handlers of both. What the address names and is not there is no page. */
export const pageForm = <R1, R2>({ run, show }: PageForm<R1, R2>) => ({
  page: (context: UserContext) => orNotFound(show(context, emptyForm)),
  form: {
    run: (context, fields) => orNotFound(run(context, fields)),
    again: (context, values, problems) => orNotFound(show(context, { values, problems }))
  } satisfies FormHandler<UserContext, R2, R1>
})

interface EditState {
  readonly state: FormState
  /** The revision that the form is filled in on. */
  readonly revision: string
}

/** The form of a row, which begins with what the row is. One that was overtaken goes on from what the row is now. */
export const editState = (
  row: { readonly revision: bigint },
  { problems, values }: FormState,
  texts: Readonly<Record<string, string>>
): EditState =>
  values.size === 0
    ? { state: { values: new URLSearchParams(texts), problems }, revision: row.revision.toString() }
    : {
      state: { values, problems },
      revision: problems["meanwhile"] === undefined ? values.get("revision") ?? "" : row.revision.toString()
    }
