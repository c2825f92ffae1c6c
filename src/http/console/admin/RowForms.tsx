/**
 * The pages of rows that administrators change, disable and enable: models, plans and channels. A form names the revision that it was
 * filled in on; the second of two who change a row sees what it is now, and may save again.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import type { ChannelConfigManaged } from "../../../channels/ChannelError.ts"
import { CODE_CHARACTERS_MAX } from "../../../domain/Code.ts"
import type { ChangedMeanwhile, ConfigManaged } from "../../../platform/ChangedMeanwhile.ts"
import {
  type Answer,
  emptyForm,
  type FormRefused,
  type FormState,
  type NotThere,
  orNotFound,
  type Page,
  type PageProblem,
  type Problems,
  redirect,
  refuse
} from "../Answer.ts"
import { adminForm, adminFormPage, type AdminPath, routes } from "../ConsoleRoute.ts"
import { askPage, type AskProps, type EditPageProps, switchOf } from "../kit/Forms.tsx"
import type { UserContext } from "../PageContext.ts"
import { idOf } from "../Params.ts"

/** A row's form as it was sent, or as the row is, and the revision it is filled in on: the row's own after an edit conflict. */
export const editOf = (
  row: { readonly revision: bigint },
  own: URLSearchParams,
  { problems = {}, values }: Partial<FormState> = {}
): { readonly state: FormState; readonly revision: string } => ({
  state: { values: values ?? own, problems },
  revision: values === undefined || problems["meanwhile"] !== undefined
    ? row.revision.toString()
    : values.get("revision") ?? ""
})

/** What is done to a row: by whom, and on which revision. */
export interface Change<R> {
  readonly context: UserContext
  readonly row: R
  readonly revision: bigint
}

/** The part of the row's page that does not depend on what kind of row it is. */
export type Edited<R> =
  & Pick<EditPageProps, "state" | "revision" | "paths" | "say">
  & { readonly context: UserContext; readonly row: R }

export type PageKey = Parameters<EditPageProps["say"]>[0] | "disable.title" | "disable.submit" | "disable.cancel"
type Refused = FormRefused | PageProblem | NotThere | ConfigManaged | ChannelConfigManaged | ChangedMeanwhile

/** The paths at which a row is changed, disabled and enabled. */
type RowRoutes = Readonly<Record<"edit" | "disable" | "enable", AdminPath>>

interface RowPages<R extends EditPageProps["row"], R1, R2, R3> {
  readonly at: RowRoutes
  /** The row that the address names. */
  find(context: UserContext): Effect.Effect<R, PageProblem | NotThere, R1>
  /** Where it is listed, changed, disabled and enabled. */
  paths(row: R): EditPageProps["paths"]
  say(context: UserContext): (key: PageKey) => string
  /** Its form as it is. */
  formOf(row: R): URLSearchParams
  show(edited: Edited<R>): Effect.Effect<Answer, PageProblem, R2>
  /** What will happen when it is disabled, and what is at stake. */
  disableText(context: UserContext, row: R): string
  stake?(context: UserContext, row: R): ComponentChildren
  save(change: Change<R>, fields: URLSearchParams): Effect.Effect<void, Refused, R3>
  setEnabled(change: Change<R>, enabled: boolean): Effect.Effect<void, Refused, R3>
}

/** Where such rows have addresses with their id: a list, and below it a page of each. */
export const rowPaths = (list: AdminPath, id: bigint | ":id") => {
  const edit: AdminPath = `${list}/${id}`
  return { list, edit, ...switchOf(edit) }
}

interface NewRowPage extends Omit<AskProps, "title" | "action" | "submit" | "back"> {
  /** The path of the list. */
  readonly list: AdminPath
  say(key: "new" | "create"): string
}

/** The form for a new row. */
export const newRowPage = ({ list, say, ...form }: NewRowPage): Page =>
  askPage({ ...form, title: say("new"), action: `${list}/new`, submit: say("create"), back: list })

/** The code by which `config.yaml` and programs name a row; it never changes. */
export const codeInput = (say: (key: "code" | "code.hint") => string) => ({
  name: "code",
  label: say("code"),
  hint: say("code.hint"),
  maxlength: CODE_CHARACTERS_MAX,
  required: true,
  autofocus: true
})

/** The message beside {@link codeInput}, where the code is wrong. */
export const codeProblem = (say: (key: "code.problem") => string, fields: ReadonlyArray<string>): Problems =>
  fields.includes("code") ? { code: say("code.problem") } : {}

/** What was typed into {@link codeInput}. */
export const codeIn = (fields: URLSearchParams): string => (fields.get("code") ?? "").trim()

/** Says on the page what has been done. */
export const withDone = (path: string, done: string): string => `${path}${path.includes("?") ? "&" : "?"}done=${done}`

/** The routes that show a row, change it, ask before it is disabled, disable it, and enable it. */
export const rowPages = <R extends EditPageProps["row"], R1, R2, R3>(pages: RowPages<R, R1, R2, R3>) => {
  const edited = (context: UserContext, row: R, sent?: Partial<FormState>): Edited<R> => ({
    context,
    row,
    paths: pages.paths(row),
    say: pages.say(context),
    ...editOf(row, pages.formOf(row), sent)
  })
  const show = (context: UserContext, sent?: Partial<FormState>) =>
    orNotFound(Effect.flatMap(pages.find(context), (row) => pages.show(edited(context, row, sent))))

  /** A row that cannot be disabled, as it is or is not the console's, is shown instead. */
  const ask = (context: UserContext, problems?: Problems) =>
    orNotFound(Effect.flatMap(pages.find(context), (row): Effect.Effect<Answer, PageProblem, R2> => {
      const { disable, edit } = pages.paths(row)
      if (row.disabledAt !== null || row.declared) {
        return problems === undefined ? Effect.succeed(redirect(edit)) : pages.show(edited(context, row, { problems }))
      }
      const say = pages.say(context)
      return Effect.succeed(askPage({
        context,
        state: { ...emptyForm, problems: problems ?? {} },
        title: say("disable.title"),
        text: pages.disableText(context, row),
        submit: say("disable.submit"),
        backText: say("disable.cancel"),
        danger: true,
        action: disable,
        back: edit,
        revision: row.revision,
        above: pages.stake?.(context, row)
      }))
    }))

  const change = (
    done: "changed" | "disabled" | "enabled",
    carryOut: (change: Change<R>, fields: URLSearchParams) => Effect.Effect<void, Refused, R3>
  ) =>
  (context: UserContext, fields: URLSearchParams) =>
    Effect.gen(function*() {
      const row = yield* pages.find(context)
      yield* carryOut({ context, row, revision: idOf(fields.get("revision")) ?? 0n }, fields)
      return redirect(withDone(pages.paths(row).edit, done))
    }).pipe(
      Effect.catchTags({
        ConfigManaged: () => refuse({ form: pages.say(context)("declared.text") }, 409),
        ChannelConfigManaged: () => refuse({ form: pages.say(context)("declared.text") }, 409),
        ChangedMeanwhile: () =>
          done === "changed"
            ? refuse({ meanwhile: "now", form: context.say("meanwhile") }, 409)
            : refuse({ form: context.say("meanwhile.short") }, 409)
      }),
      orNotFound
    )

  return {
    edited,
    routes: routes(
      adminFormPage(pages.at.edit, {
        page: (context) => show(context),
        form: { run: change("changed", pages.save), again: show }
      }),
      adminFormPage(pages.at.disable, {
        page: (context) => ask(context),
        form: {
          run: change("disabled", (row) => pages.setEnabled(row, false)),
          again: (context, { problems }) => ask(context, problems)
        }
      }),
      adminForm(pages.at.enable, {
        run: change("enabled", (row) => pages.setEnabled(row, true)),
        again: (context, { problems }) => show(context, { problems })
      })
    )
  }
}
