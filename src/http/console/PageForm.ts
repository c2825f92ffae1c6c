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
    again: (context, state) => orNotFound(show(context, state))
  } satisfies FormHandler<UserContext, R2, R1>
})
