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
import { byId, enabledIn, type ListPageProps, readListPage } from "../kit/List.tsx"
import { NewLink } from "../kit/Parts.tsx"
import { actorOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import type { Say } from "../text/Texts.ts"
import { newRowPage, type PageKey, rowPages, rowPaths } from "./RowForms.tsx"

const PAGE_SIZE = 50

type KindKey = PageKey | "new" | "create" | "lead" | "disable.text"

interface Shown<Row> {
  readonly context: UserContext
  readonly row: Row
}

interface Asked<Row> {
  readonly context: UserContext
  readonly state: FormState
  /** Undefined in the form for a new row. */
  readonly row: Row | undefined
}

export interface RowKind<Row, Id extends bigint, F extends Fields, New, E1, E2, E3, S, R1, R2> {
  /** The path of the list. */
  readonly path: AdminPath
  readonly id: IdOf<Id>
  readonly admin: Effect.Effect<RowUseCases<Id, Row, New, ValueOf<F>, NotThere, E1, E2, E3>, never, S>
  readonly terms: Model<F>
  say(context: UserContext): Say<KindKey>
  list(
    context: UserContext
  ): Effect.Effect<Pick<ListPageProps<Row>, "title" | "filter" | "empty" | "none" | "columns">, never, R1>
  /** The inputs of a row's form. */
  form(asked: Asked<Row>): Effect.Effect<ComponentChildren, SqlError.SqlError, R2>
  /** The row to create, from the terms and the other fields of the form. */
  made(terms: ValueOf<F>, fields: URLSearchParams): New
  nameOf(shown: Shown<Row>): string
  /** Shown below the name, such as the code and the badges. */
  lead(shown: Shown<Row>): ComponentChildren
  facts(shown: Shown<Row>): EditPageProps["facts"]
  /** What depends on the row, such as its users. It is shown above its form and where the page asks before the row is disabled. */
  stake?(shown: Shown<Row>): ComponentChildren
  /** The message beside each field that is wrong. */
  problems(context: UserContext, fields: ReadonlyArray<string>): Problems
  /** Words a failure that only this kind of rows has. A row that does not exist is returned unchanged: its answer is a page. */
  refusal(context: UserContext, error: E1 | E2 | E3): FormRefused | NotThere
}

export const rowKind = <
  Row extends ValueOf<F> & EditPageProps["row"] & { readonly id: Id },
  Id extends bigint,
  F extends Fields,
  New,
  E1 extends object,
  E2 extends object,
  E3 extends object,
  S,
  R1,
  R2
>(kind: RowKind<Row, Id, F, New, E1, E2, E3, S, R1, R2>) => {
  const { path } = kind

  const list = Effect.fnUntraced(function*(context: UserContext) {
    const state = enabledIn(context)
    const admin = yield* kind.admin
    const say = kind.say(context)
    return yield* readListPage<Row, SqlError.SqlError, never>({
      context,
      size: PAGE_SIZE,
      read: (range) => admin.list({ state, ...range }),
      path,
      lead: say("lead"),
      actions: <NewLink href={`${path}/new`} text={say("new")} />,
      cursor: byId,
      ...yield* kind.list(context)
    })
  })

  const read = (context: UserContext, fields: URLSearchParams) =>
    Effect.mapError(Effect.fromResult(kind.terms.readForm(fields)), (wrong) => refuse(kind.problems(context, wrong)))

  const create = pageForm({
    show: Effect.fnUntraced(function*(context, state) {
      const say = kind.say(context)
      const children = yield* kind.form({ context, state, row: undefined })
      return newRowPage({ context, state, say, list: path, lead: say("lead"), children })
    }),
    run: Effect.fnUntraced(function*(context, fields) {
      const made = kind.made(yield* read(context, fields), fields)
      const id = yield* (yield* kind.admin).create(actorOf(context), made).pipe(
        Effect.mapError((error) => error instanceof SqlError.SqlError ? error : kind.refusal(context, error))
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
    say: kind.say,
    formOf: (row) => new URLSearchParams(kind.terms.toForm(row)),
    show: Effect.fnUntraced(function*(edited) {
      const title = kind.nameOf(edited)
      return page(
        title,
        <EditPage
          {...edited}
          title={title}
          lead={kind.lead(edited)}
          facts={kind.facts(edited)}
          above={kind.stake?.(edited)}
        >
          {yield* kind.form(edited)}
        </EditPage>
      )
    }),
    disableText: (context, row) => kind.say(context)("disable.text", { name: kind.nameOf({ context, row }) }),
    stake: (context, row) => kind.stake?.({ context, row }),
    save: Effect.fnUntraced(function*({ context, revision, row: { id } }, fields) {
      const terms = yield* read(context, fields)
      yield* (yield* kind.admin).edit(actorOf(context), { id, revision }, terms).pipe(
        Effect.mapError((error) => isCommonFailure(error) ? error : kind.refusal(context, error))
      )
    }),
    setEnabled: Effect.fnUntraced(function*({ context, revision, row: { id } }, enabled) {
      yield* (yield* kind.admin).setEnabled(actorOf(context), { id, revision }, enabled).pipe(
        Effect.mapError((error) => isCommonFailure(error) ? error : kind.refusal(context, error))
      )
    })
  })

  return routes(adminPage(path, list), adminFormPage(`${path}/new`, create), row.routes)
}
