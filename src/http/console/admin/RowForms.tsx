/**
 * What the forms of rows have in common that administrators change, disable and enable.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import {
  type Answer,
  type FormRefused,
  type FormState,
  page,
  type PageProblem,
  type Problems,
  redirect,
  refusing
} from "../Answer.ts"
import type { FormHandler } from "../ConsoleRoute.ts"
import { ConfirmPage } from "../kit/Forms.tsx"
import type { PageContext, UserContext } from "../PageContext.ts"
import { idOf } from "../Params.ts"

/** An edit conflict: the second of two who change a row sees what the row is now, and may save again. */
export const changedMeanwhile = (context: PageContext) =>
  refusing({ meanwhile: "now", form: context.say("meanwhile") }, 409)

/** The revision that a form was filled in on; none that a row has where it names none. */
export const revisionIn = (fields: URLSearchParams): bigint => idOf(fields.get("revision")) ?? 0n

/** A row's form as it was sent, or as the row is, and the revision it is filled in on: the row's own after an edit conflict. */
export const editOf = (
  row: { readonly revision: bigint },
  own: URLSearchParams,
  { problems = {}, values }: { readonly [K in keyof FormState]?: FormState[K] | undefined } = {}
): { readonly state: FormState; readonly revision: string } => ({
  state: { values: values ?? own, problems },
  revision: values === undefined || problems["meanwhile"] !== undefined
    ? row.revision.toString()
    : values.get("revision") ?? ""
})

interface Row {
  readonly revision: bigint
  readonly disabledAt: Date | null
  readonly declared: boolean
}

interface Switched<R extends Row, R1, R2, R3> {
  find(context: UserContext): Effect.Effect<R, PageProblem, R1>
  hrefOf(row: R, page: "edit" | "disable", done?: "disabled" | "enabled"): string
  /** The row's own page, with what is wrong. */
  show(context: UserContext, problems: Problems): Effect.Effect<Answer, PageProblem, R2>
  /** The texts of the question before it is disabled, and what will happen. */
  say(context: UserContext): (key: "disable.title" | "disable.submit" | "disable.cancel") => string
  textOf(context: UserContext, row: R): string
  /** Above the question: what is at stake. */
  stakeOf?(context: UserContext, row: R): ComponentChildren
  setEnabled(
    context: UserContext,
    change: { readonly row: R; readonly revision: bigint; readonly enabled: boolean }
  ): Effect.Effect<void, FormRefused | PageProblem, R3>
}

/** The handlers that ask before a row is disabled, disable it, and enable it. */
export const switchForms = <R extends Row, R1, R2, R3>(row: Switched<R, R1, R2, R3>) => {
  /** Undefined for a row that cannot be disabled: it is, or it is not the console's. */
  const questionOf = (context: UserContext, found: R, problems: Problems = {}) => {
    if (found.disabledAt !== null || found.declared) return undefined
    const say = row.say(context)
    const title = say("disable.title")
    return page(
      title,
      <ConfirmPage
        context={context}
        title={title}
        text={row.textOf(context, found)}
        submit={say("disable.submit")}
        cancel={say("disable.cancel")}
        action={row.hrefOf(found, "disable")}
        back={row.hrefOf(found, "edit")}
        revision={found.revision}
        problems={problems}
      >
        {row.stakeOf?.(context, found)}
      </ConfirmPage>
    )
  }
  const turn = (enabled: boolean) => (context: UserContext, fields: URLSearchParams) =>
    Effect.gen(function*() {
      const found = yield* row.find(context)
      yield* row.setEnabled(context, { row: found, revision: revisionIn(fields), enabled })
      return redirect(row.hrefOf(found, "edit", enabled ? "enabled" : "disabled"))
    })
  return {
    ask: (context: UserContext) =>
      Effect.map(row.find(context), (found) => questionOf(context, found) ?? redirect(row.hrefOf(found, "edit"))),
    disable: {
      run: turn(false),
      again: (context, { problems }) =>
        Effect.flatMap(row.find(context), (found): Effect.Effect<Answer, PageProblem, R2> => {
          const question = questionOf(context, found, problems)
          return question === undefined ? row.show(context, problems) : Effect.succeed(question)
        })
    } satisfies FormHandler<UserContext, R1 | R3, R1 | R2>,
    enable: {
      run: turn(true),
      again: (context, { problems }) => row.show(context, problems)
    } satisfies FormHandler<UserContext, R1 | R3, R2>
  }
}
