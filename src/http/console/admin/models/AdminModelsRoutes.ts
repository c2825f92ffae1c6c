/**
 * `/admin/models`: models and prices. An id may hold slashes and be any word, so it stands in the query and not in the path.
 */
import { Effect, Layer, Result } from "effect"
import { type AdminModel, ModelAdmin } from "../../../../catalog/ModelAdmin.ts"
import { isModelId } from "../../../../catalog/ModelTerms.ts"
import { emptyForm, type FormState, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf } from "../../PathId.ts"
import { AdminModelsView, type ModelQuery } from "./AdminModelsView.tsx"
import { formOf, modelProblems, readModelForm } from "./ModelForm.ts"
import { DisableModelView, ModelView, NewModelView } from "./ModelView.tsx"

const PAGE_SIZE = 100
const TEXT_LENGTH_MAX = 200

/** Texts of an address that the database can be asked for. */
const textOf = (text: string | null): string =>
  (text ?? "").replaceAll("\0", "").toWellFormed().slice(0, TEXT_LENGTH_MAX)

const queryOf = ({ query }: UserContext): ModelQuery => {
  const state = query.get("state")
  return {
    text: textOf(query.get("q")).trim(),
    state: state === "enabled" || state === "disabled" ? state : undefined,
    after: query.get("after") === null ? undefined : textOf(query.get("after"))
  }
}

const listPage = adminPage("/admin/models", (context) =>
  Effect.gen(function*() {
    const query = queryOf(context)
    const found = yield* (yield* ModelAdmin).list({ ...query, limit: PAGE_SIZE + 1 })
    const models = found.slice(0, PAGE_SIZE)
    const view = AdminModelsView({ context, models, query, hasMore: found.length > PAGE_SIZE })
    return page(sayOf(context, "adminModels")("title"), view)
  }))

const showNew = (context: UserContext, state: FormState) =>
  Effect.succeed(page(sayOf(context, "adminModels")("new"), NewModelView({ context, state })))

const newPage = adminPage("/admin/models/new", (context) => showNew(context, emptyForm))

const editPath = (id: string, done: string): string => `/admin/models/edit?${new URLSearchParams({ id, done })}`

const createForm = adminForm("/admin/models/new", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = (fields.get("id") ?? "").trim()
      const terms = readModelForm(fields)
      if (Result.isFailure(terms)) {
        return yield* refuse(modelProblems(context, isModelId(id) ? terms.failure : ["id", ...terms.failure]))
      }
      yield* (yield* ModelAdmin).create(actorOf(context), { id, ...terms.success })
      return redirect(editPath(id, "created"))
    }).pipe(
      Effect.catchTags({
        ModelRefused: (error) => Effect.fail(refuse(modelProblems(context, error.fields))),
        ModelExists: () => Effect.fail(refuse({ id: sayOf(context, "adminModels")("id.exists") }, 409))
      })
    ),
  again: (context, values, problems) => showNew(context, { values, problems })
})

/** The model that the address names. */
const modelOf = (context: UserContext) =>
  Effect.flatMap(ModelAdmin, (models) => models.get(textOf(context.query.get("id")))).pipe(
    Effect.catchTag("ModelNotFound", () => Effect.fail(new PageNotFound()))
  )

/** A form that was overtaken goes on from what the row is now; any other from what it was filled in on. */
const revisionOf = (model: AdminModel, values: URLSearchParams, problems: Problems): string =>
  problems["meanwhile"] === undefined ? values.get("revision") ?? "" : model.revision.toString()

const showModel = (context: UserContext, values?: URLSearchParams, problems: Problems = {}) =>
  Effect.map(modelOf(context), (model) => {
    const state = { values: values ?? formOf(model.terms), problems }
    const revision = values === undefined ? model.revision.toString() : revisionOf(model, values, problems)
    return page(model.id, ModelView({ context, model, state, revision }))
  })

const editPage = adminPage("/admin/models/edit", (context) => showModel(context))

const atOf = (context: UserContext, fields: URLSearchParams) => ({
  id: textOf(context.query.get("id")),
  revision: idOf(fields.get("revision")) ?? 0n
})

/** Who was overtaken, and whose model is not theirs to change, is told so. */
const refusals = (context: UserContext) => {
  const say = sayOf(context, "adminModels")
  return {
    ModelNotFound: () => Effect.fail(new PageNotFound()),
    ModelDeclared: () => Effect.fail(refuse({ form: say("declared.text") }, 409))
  }
}

const editForm = adminForm("/admin/models/edit", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const model = yield* modelOf(context)
      const terms = readModelForm(fields, model.terms)
      if (Result.isFailure(terms)) return yield* refuse(modelProblems(context, terms.failure))
      const at = atOf(context, fields)
      yield* (yield* ModelAdmin).edit(actorOf(context), at, terms.success)
      return redirect(editPath(at.id, "changed"))
    }).pipe(
      Effect.catchTags({
        ...refusals(context),
        ModelRefused: (error) => Effect.fail(refuse(modelProblems(context, error.fields))),
        ChangedMeanwhile: () =>
          Effect.fail(refuse({ meanwhile: "now", form: sayOf(context, "adminModels")("meanwhile") }, 409))
      })
    ),
  again: showModel
})

const showDisable = (context: UserContext, problems: Problems = {}) =>
  Effect.map(modelOf(context), (model) =>
    model.disabledAt !== null || model.declared
      ? redirect(`/admin/models/edit?${new URLSearchParams({ id: model.id })}`)
      : page(sayOf(context, "adminModels")("disable.title"), DisableModelView({ context, model, problems })))

const setEnabled = (context: UserContext, fields: URLSearchParams, enabled: boolean) =>
  Effect.gen(function*() {
    const at = atOf(context, fields)
    yield* (yield* ModelAdmin).setEnabled(actorOf(context), at, enabled)
    return redirect(editPath(at.id, enabled ? "enabled" : "disabled"))
  }).pipe(
    Effect.catchTags({
      ...refusals(context),
      ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(context, "adminModels")("meanwhile.short") }, 409))
    })
  )

const disablePage = adminPage("/admin/models/disable", (context) => showDisable(context))

const disableForm = adminForm("/admin/models/disable", {
  run: (context, fields) => setEnabled(context, fields, false),
  again: (context, _fields, problems) => showDisable(context, problems)
})

const enableForm = adminForm("/admin/models/enable", {
  run: (context, fields) => setEnabled(context, fields, true),
  again: (context, _fields, problems) => showModel(context, undefined, problems)
})

export const AdminModelsRoutes = Layer.mergeAll(
  listPage,
  newPage,
  createForm,
  editPage,
  editForm,
  disablePage,
  disableForm,
  enableForm
)
