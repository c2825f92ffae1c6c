/**
 * What the forms of rows have in common that administrators change, disable and enable.
 */
import { Effect } from "effect"
import {
  type Answer,
  type FormRefused,
  type FormState,
  type PageProblem,
  type Problems,
  redirect,
  refusing
} from "../Answer.ts"
import type { FormHandler } from "../ConsoleRoute.ts"
import type { PageContext, UserContext } from "../PageContext.ts"
import { idOf } from "../PathId.ts"

/** The second of two who change a row is told so, and goes on from what the row is now. */
export const changedMeanwhile = (context: PageContext) =>
  refusing({ meanwhile: "now", form: context.say("meanwhile") }, 409)

/** The revision that a form was filled in on; none that a row has where it names none. */
export const revisionIn = (fields: URLSearchParams): bigint => idOf(fields.get("revision")) ?? 0n

/** A row's form as it was sent, or as the row is; and the revision that it is filled in on, the row's own once it was overtaken. */
export const editOf = (
  row: { readonly revision: bigint },
  own: URLSearchParams,
  values?: URLSearchParams,
  problems: Problems = {}
): { readonly state: FormState; readonly revision: string } => ({
  state: { values: values ?? own, problems },
  revision: values === undefined || problems["meanwhile"] !== undefined
    ? row.revision.toString()
    : values.get("revision") ?? ""
})

interface SwitchedRow<Row, R1, R2, R3> {
  find(context: UserContext): Effect.Effect<Row, PageProblem, R1>
  /** The address of the row's own page, and that page with what is wrong. */
  hrefOf(row: Row, done?: "disabled" | "enabled"): string
  show(context: UserContext, problems: Problems): Effect.Effect<Answer, PageProblem, R2>
  /** Asks before it is disabled. */
  question(context: UserContext, row: Row, problems: Problems): Answer
  setEnabled(
    context: UserContext,
    change: { readonly row: Row; readonly revision: bigint; readonly enabled: boolean }
  ): Effect.Effect<void, FormRefused | PageProblem, R3>
}

/** The handlers that ask before a row is disabled, disable it, and enable it. */
export const switchForms = <Row extends { readonly disabledAt: Date | null; readonly declared: boolean }, R1, R2, R3>(
  { find, hrefOf, question, setEnabled, show }: SwitchedRow<Row, R1, R2, R3>
) => {
  const canDisable = (row: Row): boolean => row.disabledAt === null && !row.declared
  const turn = (enabled: boolean) => (context: UserContext, fields: URLSearchParams) =>
    Effect.gen(function*() {
      const row = yield* find(context)
      yield* setEnabled(context, { row, revision: revisionIn(fields), enabled })
      return redirect(hrefOf(row, enabled ? "enabled" : "disabled"))
    })
  return {
    ask: (context: UserContext) =>
      Effect.map(find(context), (row) => canDisable(row) ? question(context, row, {}) : redirect(hrefOf(row))),
    disable: {
      run: turn(false),
      again: (context, _fields, problems) =>
        Effect.flatMap(
          find(context),
          (row) => canDisable(row) ? Effect.succeed(question(context, row, problems)) : show(context, problems)
        )
    } satisfies FormHandler<UserContext, R1 | R3, R1 | R2>,
    enable: {
      run: turn(true),
      again: (context, _fields, problems) => show(context, problems)
    } satisfies FormHandler<UserContext, R1 | R3, R2>
  }
}
