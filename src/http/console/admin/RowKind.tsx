/**
 * The pages of rows that are listed, created, changed, disabled and enabled in the same way: groups, plans and announcements. A
 * `RowKind` describes what is particular to one kind of rows. Its list, the form for a new row and the pages of a row are made from it.
 */
import { Effect } from "effect"
import { SqlError } from "effect/sql"
import type { ComponentChildren } from "preact"
import type { IdOf } from "../../../domain/Ids.ts"
import type { Fields, Model, ValueOf } from "../../../domain/Model.ts"
import { isCommonFailure, type RowUseCases } from "../../RowUseCases.ts"
import { type FormRefused, type FormState, type NotThere, page, type Problems, redirect, refuse } from "../Answer.ts"
import { adminFormPage, adminPage, type AdminPath, pageForm, routes } from "../ConsoleRoute.ts"
import { EditPage, type EditPageProps } from "../kit/Forms.tsx"
import { byId, enabledIn, type ItemColumn, type ListPageProps, readListPage } from "../kit/List.tsx"
import { Figures, NewLink, RowBadges, Small } from "../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import type { SayOf, TextKey, TextSection } from "../text/Texts.ts"
import { codeProblem, newRowPage, type PageKey, rowPages, rowPaths } from "./RowForms.tsx"
import type { ShownTerms } from "./Terms.tsx"

type KindKey = PageKey | "new" | "create" | "lead" | "disable.text"

/** The sections that have all texts of such pages. */
type KindSection = { readonly [S in TextSection]: KindKey extends TextKey<S> ? S : never }[TextSection]

interface Asking<S extends TextSection> {
  readonly context: UserContext
  readonly say: SayOf<S>
}

interface Shown<S extends TextSection, Row> extends Asking<S> {
  readonly row: Row
}

interface Asked<S extends TextSection, Row> extends Asking<S> {
  readonly state: FormState
  /** Undefined in the form for a new row. */
  readonly row: Row | undefined
}

type List<Row> = Pick<ListPageProps<Row>, "title" | "filter" | "empty" | "none" | "columns"> & {
  /** What the first column is called, which has the names. */
  readonly named: string
}

export interface RowKind<S extends TextSection, Row, Id extends bigint, F extends Fields, New, E1, E2, E3, R, R1, R2> {
  /** The path of the list. */
  readonly path: AdminPath
  readonly id: IdOf<Id>
  /** The section of its texts. */
  readonly texts: S
  readonly admin: Effect.Effect<RowUseCases<Id, Row, New, ValueOf<F>, NotThere, E1, E2, E3>, never, R>
  readonly terms: Model<F>
  /** The terms with their words. */
  shown(context: PageContext): ShownTerms<F>
  list(asking: Asking<S>): Effect.Effect<List<Row>, never, R1>
  /** The inputs of a row's form. */
  form(asked: Asked<S, Row>): Effect.Effect<ComponentChildren, SqlError.SqlError, R2>
  /** The row to create, from the terms and the other fields of the form. */
  made(terms: ValueOf<F>, fields: URLSearchParams): New
  nameOf(shown: Shown<S, Row>): string
  /** Beside those that all rows have. */
  badges?(shown: Shown<S, Row>): ComponentChildren
  /** Absent: its terms. */
  facts?(shown: Shown<S, Row>): EditPageProps["facts"]
  /** How many there are of what depends on the row. It is shown above its form and where the page asks before the row is disabled. */
  stake?(shown: Shown<S, Row>): { readonly hint: string; readonly counts: ReadonlyArray<readonly [string, number]> }
  /** Words a failure that only this kind of rows has. A row that does not exist is returned unchanged: its answer is a page. */
  refusal(
    asking: Asking<S> & { readonly problems: (fields: ReadonlyArray<string>) => Problems },
    error: E1 | E2 | E3
  ): FormRefused | NotThere
}

export const rowKind = <
  S extends KindSection,
  Row extends ValueOf<F> & EditPageProps["row"] & { readonly id: Id; readonly code?: string },
  Id extends bigint,
  F extends Fields,
  New,
  E1 extends object,
  E2 extends object,
  E3 extends object,
  R,
  R1,
  R2
>(kind: RowKind<S, Row, Id, F, New, E1, E2, E3, R, R1, R2>) => {
  const { path } = kind
  const texts: KindSection = kind.texts
  const sayKind = (context: UserContext) => sayOf(context, texts)
  const asking = (context: UserContext) => ({ context, say: sayOf(context, kind.texts) })

  /** What is wrong, beside each field. */
  const problems = (context: UserContext) => (fields: ReadonlyArray<string>): Problems => ({
    ...codeProblem(sayKind(context), fields),
    ...kind.shown(context).problems(fields)
  })

  const refusal = (context: UserContext, error: E1 | E2 | E3) =>
    kind.refusal({ ...asking(context), problems: problems(context) }, error)

  const badges = (shown: Shown<S, Row>) => (
    <>
      {kind.badges?.(shown)} <RowBadges context={shown.context} row={shown.row} />
    </>
  )

  const named = (context: UserContext, title: string): ItemColumn<Row> => ({
    title,
    cell: (row) => {
      const shown = { ...asking(context), row }
      return (
        <>
          <a class="break-anywhere" href={`${path}/${row.id}`}>{kind.nameOf(shown)}</a> {badges(shown)}
          <Small>{row.code === undefined ? undefined : <code>{row.code}</code>}</Small>
        </>
      )
    }
  })

  const stake = (context: UserContext, row: Row) => {
    const found = kind.stake?.({ ...asking(context), row })
    if (found === undefined) return null
    const { counts, hint } = found
    return <Figures figures={counts.map(([label, many]) => ({ label, value: context.formats.count(many), hint }))} />
  }

  const list = Effect.fnUntraced(function*(context: UserContext) {
    const state = enabledIn(context)
    const admin = yield* kind.admin
    const say = sayKind(context)
    const { columns, named: title, ...described } = yield* kind.list(asking(context))
    return yield* readListPage<Row, SqlError.SqlError, never>({
      context,
      read: (range) => admin.list({ state, ...range }),
      path,
      lead: say("lead"),
      actions: <NewLink href={`${path}/new`} text={say("new")} />,
      cursor: byId,
      columns: [named(context, title), ...columns],
      ...described
    })
  })

  const read = (context: UserContext, fields: URLSearchParams) =>
    Effect.mapError(Effect.fromResult(kind.terms.readForm(fields)), (wrong) => refuse(problems(context)(wrong)))

  const create = pageForm({
    show: Effect.fnUntraced(function*(context, state) {
      const say = sayKind(context)
      const children = yield* kind.form({ ...asking(context), state, row: undefined })
      return newRowPage({ context, state, say, list: path, lead: say("lead"), children })
    }),
    run: Effect.fnUntraced(function*(context, fields) {
      const made = kind.made(yield* read(context, fields), fields)
      const id = yield* (yield* kind.admin).create(actorOf(context), made).pipe(
        Effect.mapError((error) => error instanceof SqlError.SqlError ? error : refusal(context, error))
      )
      return redirect(`${path}/${id}?done=created`)
    })
  })

  const row = rowPages({
    at: rowPaths(path, ":id"),
    find: () =>
      Effect.gen(function*() {
        return yield* (yield* kind.admin).get(yield* pathId("id", kind.id))
      }),
    paths: ({ id }: Row) => rowPaths(path, id),
    say: sayKind,
    formOf: (row) => new URLSearchParams(kind.terms.toForm(row)),
    show: Effect.fnUntraced(function*(edited) {
      const { context, row } = edited
      const shown = { ...asking(context), row }
      const title = kind.nameOf(shown)
      const code = row.code === undefined ? null : <code>{row.code}</code>
      return page(
        title,
        <EditPage
          {...edited}
          title={title}
          lead={
            <>
              {code} {badges(shown)}
            </>
          }
          facts={kind.facts?.(shown) ?? kind.shown(context).facts(row)}
          above={stake(context, row)}
        >
          {yield* kind.form({ ...edited, ...shown })}
        </EditPage>
      )
    }),
    disableText: (context, row) => sayKind(context)("disable.text", { name: kind.nameOf({ ...asking(context), row }) }),
    stake,
    save: Effect.fnUntraced(function*({ context, revision, row: { id } }, fields) {
      const terms = yield* read(context, fields)
      yield* (yield* kind.admin).edit(actorOf(context), { id, revision }, terms).pipe(
        Effect.mapError((error) => isCommonFailure(error) ? error : refusal(context, error))
      )
    }),
    setEnabled: Effect.fnUntraced(function*({ context, revision, row: { id } }, enabled) {
      yield* (yield* kind.admin).setEnabled(actorOf(context), { id, revision }, enabled).pipe(
        Effect.mapError((error) => isCommonFailure(error) ? error : refusal(context, error))
      )
    })
  })

  return routes(adminPage(path, list), adminFormPage(`${path}/new`, create), row.routes)
}
