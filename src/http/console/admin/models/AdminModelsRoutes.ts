/**
 * `/admin/models`: models and prices. An id may hold slashes and be any word, so it stands in the query and not in the path.
 */
import { Effect, Layer, Result } from "effect"
import { type AdminModel, ModelAdmin } from "../../../../catalog/ModelAdmin.ts"
import { isModelId } from "../../../../catalog/ModelTerms.ts"
import { emptyForm, type FormState, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { idOf } from "../../PathId.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { adminModelsText } from "./AdminModelsText.ts"
import { AdminModelsView, type ModelQuery } from "./AdminModelsView.tsx"
import { formOf, modelProblems, readModelForm } from "./ModelForm.ts"
import { DisableModelView, ModelView, NewModelView } from "./ModelView.tsx"

const PAGE_SIZE = 100
const TEXT_LENGTH_MAX = 200

/** Texts of an address that the database can be asked for. */
const textOf = (text: string | null): string =>
  (text ?? "").replaceAll("\0", "").toWellFormed().slice(0, TEXT_LENGTH_MAX)

const queryOf = ({ query }: UserVisit): ModelQuery => {
  const state = query.get("state")
  return {
    text: textOf(query.get("q")).trim(),
    state: state === "enabled" || state === "disabled" ? state : undefined,
    after: query.get("after") === null ? undefined : textOf(query.get("after"))
  }
}

const listPage = adminPage("/admin/models", (visit) =>
  Effect.gen(function*() {
    const query = queryOf(visit)
    const found = yield* (yield* ModelAdmin).list({ ...query, limit: PAGE_SIZE + 1 })
    const models = found.slice(0, PAGE_SIZE)
    const view = AdminModelsView({ visit, models, query, hasMore: found.length > PAGE_SIZE })
    return page(sayOf(visit, adminModelsText)("title"), view)
  }))

const showNew = (visit: UserVisit, state: FormState) =>
  Effect.succeed(page(sayOf(visit, adminModelsText)("new"), NewModelView({ visit, state })))

const newPage = adminPage("/admin/models/new", (visit) => showNew(visit, emptyForm))

const editPath = (id: string, done: string): string => `/admin/models/edit?${new URLSearchParams({ id, done })}`

const createForm = adminForm("/admin/models/new", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const id = (fields.get("id") ?? "").trim()
      const terms = readModelForm(fields)
      if (Result.isFailure(terms)) {
        return yield* refuse(modelProblems(visit, isModelId(id) ? terms.failure : ["id", ...terms.failure]))
      }
      yield* (yield* ModelAdmin).create(actorOf(visit), { id, ...terms.success })
      return redirect(editPath(id, "created"))
    }).pipe(
      Effect.catchTags({
        ModelRefused: (error) => Effect.fail(refuse(modelProblems(visit, error.fields))),
        ModelExists: () => Effect.fail(refuse({ id: sayOf(visit, adminModelsText)("id.exists") }, 409))
      })
    ),
  again: (visit, values, problems) => showNew(visit, { values, problems })
})

/** The model that the address names. */
const modelOf = (visit: UserVisit) =>
  Effect.flatMap(ModelAdmin, (models) => models.get(textOf(visit.query.get("id")))).pipe(
    Effect.catchTag("ModelNotFound", () => Effect.fail(new PageNotFound()))
  )

/** A form that was overtaken goes on from what the row is now; any other from what it was filled in on. */
const revisionOf = (model: AdminModel, values: URLSearchParams, problems: Problems): string =>
  problems["meanwhile"] === undefined ? values.get("revision") ?? "" : model.revision.toString()

const showModel = (visit: UserVisit, values?: URLSearchParams, problems: Problems = {}) =>
  Effect.map(modelOf(visit), (model) => {
    const state = { values: values ?? formOf(model.terms), problems }
    const revision = values === undefined ? model.revision.toString() : revisionOf(model, values, problems)
    return page(model.id, ModelView({ visit, model, state, revision }))
  })

const editPage = adminPage("/admin/models/edit", (visit) => showModel(visit))

const atOf = (visit: UserVisit, fields: URLSearchParams) => ({
  id: textOf(visit.query.get("id")),
  revision: idOf(fields.get("revision")) ?? 0n
})

/** Who was overtaken, and whose model is not theirs to change, is told so. */
const refusals = (visit: UserVisit) => {
  const say = sayOf(visit, adminModelsText)
  return {
    ModelNotFound: () => Effect.fail(new PageNotFound()),
    ModelDeclared: () => Effect.fail(refuse({ form: say("declared.text") }, 409))
  }
}

const editForm = adminForm("/admin/models/edit", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const model = yield* modelOf(visit)
      const terms = readModelForm(fields, model.terms)
      if (Result.isFailure(terms)) return yield* refuse(modelProblems(visit, terms.failure))
      const at = atOf(visit, fields)
      yield* (yield* ModelAdmin).edit(actorOf(visit), at, terms.success)
      return redirect(editPath(at.id, "changed"))
    }).pipe(
      Effect.catchTags({
        ...refusals(visit),
        ModelRefused: (error) => Effect.fail(refuse(modelProblems(visit, error.fields))),
        ChangedMeanwhile: () =>
          Effect.fail(refuse({ meanwhile: "now", form: sayOf(visit, adminModelsText)("meanwhile") }, 409))
      })
    ),
  again: showModel
})

const showDisable = (visit: UserVisit, problems: Problems = {}) =>
  Effect.map(modelOf(visit), (model) =>
    model.disabledAt !== null || model.declared
      ? redirect(`/admin/models/edit?${new URLSearchParams({ id: model.id })}`)
      : page(sayOf(visit, adminModelsText)("disable.title"), DisableModelView({ visit, model, problems })))

const setEnabled = (visit: UserVisit, fields: URLSearchParams, enabled: boolean) =>
  Effect.gen(function*() {
    const at = atOf(visit, fields)
    yield* (yield* ModelAdmin).setEnabled(actorOf(visit), at, enabled)
    return redirect(editPath(at.id, enabled ? "enabled" : "disabled"))
  }).pipe(
    Effect.catchTags({
      ...refusals(visit),
      ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(visit, adminModelsText)("meanwhile.short") }, 409))
    })
  )

const disablePage = adminPage("/admin/models/disable", (visit) => showDisable(visit))

const disableForm = adminForm("/admin/models/disable", {
  run: (visit, fields) => setEnabled(visit, fields, false),
  again: (visit, _fields, problems) => showDisable(visit, problems)
})

const enableForm = adminForm("/admin/models/enable", {
  run: (visit, fields) => setEnabled(visit, fields, true),
  again: (visit, _fields, problems) => showModel(visit, undefined, problems)
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
