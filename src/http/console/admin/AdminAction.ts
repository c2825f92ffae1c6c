/**
 * What administrators do to one thing: each action is asked for on a page of its own, below the thing's page, which says what follows
 * from it. Done, it leads back to the thing's page.
 */
import { Effect } from "effect"
import type { HttpRouter } from "effect/http"
import { emptyForm, type FormRefused, type NotThere, type PageProblem, redirect } from "../Answer.ts"
import { adminFormPage, pageForm } from "../ConsoleRoute.ts"
import { askPage, type AskProps } from "../kit/Forms.tsx"
import type { UserContext } from "../PageContext.ts"

export interface AdminAction<Subject, R1, R2> {
  /** The thing that the address names, and what the form says of it. */
  readonly find: Effect.Effect<Subject, PageProblem | NotThere, R1>
  /** The page of the thing. */
  hrefOf(subject: Subject): string
  /** Absent: always. What is not possible is not asked for; a form that was sent is shown again in any case. */
  readonly isPossible?: (subject: Subject) => boolean
  /** What is asked; undefined where there is nothing to ask. */
  ask(context: UserContext, subject: Subject): Omit<AskProps, "context" | "state" | "action" | "back"> | undefined
  /** Does it, and says what has been done, for the address. */
  run(
    context: UserContext,
    fields: URLSearchParams,
    subject: Subject
  ): Effect.Effect<string, FormRefused | PageProblem | NotThere, R2>
}

export const adminAction = <Subject, R1, R2>(
  path: `/admin${string}` & HttpRouter.PathInput,
  { ask, find, hrefOf, isPossible = () => true, run }: AdminAction<Subject, R1, R2>
) =>
  adminFormPage(
    path,
    pageForm({
      show: (context, state) =>
        Effect.map(find, (subject) => {
          const back = hrefOf(subject)
          const asked = state !== emptyForm || isPossible(subject) ? ask(context, subject) : undefined
          const form = { context, state, action: context.pathname, back, backText: context.say("cancel") }
          return asked === undefined ? redirect(back) : askPage({ ...form, ...asked })
        }),
      run: Effect.fnUntraced(function*(context, fields) {
        const subject = yield* find
        return redirect(`${hrefOf(subject)}?done=${yield* run(context, fields, subject)}`)
      })
    })
  )
