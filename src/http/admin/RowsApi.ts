/**
 * The endpoints of rows that are listed, created, changed, disabled and enabled in the same way, such as groups and plans, and their
 * handlers. A change names the revision that it was made on.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { IdJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import type { RowUseCases } from "../RowUseCases.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, changeErrors, editErrors } from "./ApiError.ts"
import { listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, PAGE_ITEMS_MAX, pageQuery } from "./ApiSchema.ts"

export const ApiRevision = Schema.Struct({ revision: IdJson }).pipe(documented("Revision"))

/** Narrows a list to enabled or to disabled rows. */
export const stateQuery = { state: Schema.optionalKey(Schema.Literals(["enabled", "disabled"])) }

interface RowDescription<One, Query, Id, Shown, Terms, Code> {
  /** What one row is called in the names of endpoints and of schemas, and where they are listed: `Plan` at `/plans`. */
  readonly one: One
  readonly query: Query
  readonly id: Id
  /** What a row has besides its terms. */
  readonly shown: Shown
  readonly terms: Terms
  /** What is given besides the terms when a row is made. */
  readonly code: Code
  readonly enableErrors: ReadonlyArray<typeof editErrors[number]>
}

const { get, post, put } = HttpApiEndpoint

export const rowEndpoints = <
  const One extends string,
  Query extends Schema.Struct.Fields,
  Id extends Schema.Top,
  Shown extends Schema.Struct.Fields,
  Terms extends Schema.Struct.Fields,
  Code extends Schema.Struct.Fields
>({ code, enableErrors, id, one, query, shown, terms }: RowDescription<One, Query, Id, Shown, Terms, Code>) => {
  const path = `/${one.toLowerCase()}s` as `/${Lowercase<One>}s`
  const at = `${path}/:id` as const
  const params = { id }
  const row = Json({ ...shown, ...terms }).pipe(documented(one))
  const create = Json({ ...code, ...terms }).pipe(documented(`New${one}`))
  const edit = Json({ revision: IdJson, ...terms }).pipe(documented(`${one}Edit`))
  return [
    get(`list${one}s`, path, { query, success: itemsOf(row) }),
    get(`get${one}`, at, { params, success: row, error: ApiNotFound }),
    post(`create${one}`, path, { payload: create, success: row.pipe(created), error: editErrors }),
    put(`edit${one}`, at, { params, payload: edit, success: row, error: editErrors }),
    post(`disable${one}`, `${at}/disable`, { params, payload: ApiRevision, success: row, error: changeErrors }),
    post(`enable${one}`, `${at}/enable`, { params, payload: ApiRevision, success: row, error: enableErrors })
  ] as const
}

/** Of rows with a code, which is given when one is made. */
export const codedEndpoints = <
  const One extends string,
  Id extends Schema.Top,
  Shown extends Schema.Struct.Fields,
  Terms extends Schema.Struct.Fields
>(described: Pick<RowDescription<One, never, Id, Shown, Terms, never>, "one" | "id" | "shown" | "terms">) =>
  rowEndpoints({
    ...described,
    query: { ...pageQuery, ...stateQuery },
    code: { code: Schema.String },
    enableErrors: changeErrors
  })

interface ListRequest {
  readonly query: { readonly before?: bigint; readonly limit?: number; readonly state?: "enabled" | "disabled" }
}

interface RowRequest<Id> {
  readonly params: { readonly id: Id }
}

interface ChangeRequest<Id, Payload> extends RowRequest<Id> {
  readonly payload: Payload & { readonly revision: bigint }
}

/** Handlers by the names of the endpoints. */
type Named<
  One extends string,
  A extends Readonly<Record<"list" | "get" | "create" | "edit" | "disable" | "enable", unknown>>
> =
  & { readonly [Name in `list${One}s`]: A["list"] }
  & { readonly [Name in `get${One}`]: A["get"] }
  & { readonly [Name in `create${One}`]: A["create"] }
  & { readonly [Name in `edit${One}`]: A["edit"] }
  & { readonly [Name in `disable${One}`]: A["disable"] }
  & { readonly [Name in `enable${One}`]: A["enable"] }

/** The handlers of these endpoints; all but the list answer the row as it is now. */
export const rowAnswers =
  <const One extends string>(one: One) =>
  <Id, Row, New, Terms, E0, E1, E2, E3>(rows: RowUseCases<Id, Row, New, Terms, E0, E1, E2, E3>) => {
    const switchTo =
      (enabled: boolean) =>
      ({ params: { id }, payload: { revision } }: ChangeRequest<Id, unknown>, admin: Administrator) =>
        Effect.andThen(rows.setEnabled(admin, { id, revision }, enabled), rows.get(id))
    const answers = {
      list: ({ query: { before, limit = PAGE_ITEMS_MAX, state } }: ListRequest) =>
        listed(rows.list({ before, limit, state })),
      get: ({ params }: RowRequest<Id>) => rows.get(params.id),
      create: ({ payload }: { readonly payload: New }, admin: Administrator) =>
        Effect.flatMap(rows.create(admin, payload), rows.get),
      edit: ({ params: { id }, payload }: ChangeRequest<Id, Terms>, admin: Administrator) =>
        Effect.andThen(rows.edit(admin, { id, revision: payload.revision }, payload), rows.get(id)),
      disable: switchTo(false),
      enable: switchTo(true)
    }
    // TypeScript does not follow names that are put together.
    return Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name === "list" ? `list${one}s` : `${name}${one}`, answer])
    ) as Named<One, typeof answers>
  }
