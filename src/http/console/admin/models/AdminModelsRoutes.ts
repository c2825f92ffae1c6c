/**
 * `/admin/models`: models and prices. An id may hold slashes and be any word, so it stands in the query and not in the path.
 */
import { Effect, Result } from "effect"
import { type AdminModel, ModelAdmin } from "../../../../catalog/ModelAdmin.ts"
import { isModelId } from "../../../../catalog/ModelTerms.ts"
import { emptyForm, type FormState, notFound, page, redirect, refuse, refusing } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { listedOf } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { changedMeanwhile, editOf, revisionIn, switchForms } from "../RowForms.tsx"
import { AdminModelsView } from "./AdminModelsView.tsx"
import { formOf, modelProblems, readModelForm } from "./ModelForm.ts"
import { modelPath } from "./ModelPath.ts"
import { ModelView, NewModelView } from "./ModelView.tsx"

const PAGE_SIZE = 100

const listPage = adminPage("/admin/models", (context) =>
  Effect.gen(function*() {
    const { query } = context
    const asked = {
      text: searchText(query, "q"),
      state: oneOf(["enabled", "disabled"], query.get("state")),
      after: query.get("after") ?? undefined
    }
    const found = yield* (yield* ModelAdmin).list({ ...asked, limit: PAGE_SIZE + 1 })
    const view = AdminModelsView({ context, query: asked, ...listedOf(found, PAGE_SIZE) })
    return page(sayOf(context, "adminModels")("title"), view)
  }))

const showNew = (context: UserContext, state: FormState) =>
  Effect.succeed(page(sayOf(context, "adminModels")("new"), NewModelView({ context, state })))

const newPage = adminPage("/admin/models/new", (context) => showNew(context, emptyForm))

/** The messages for the errors that every change of a model may have. */
const refusals = (context: UserContext) => ({
  ModelNotFound: notFound,
  ConfigManaged: refusing({ form: sayOf(context, "adminModels")("declared.text") }, 409)
})

/** What is wrong with the terms of a form. */
const refusedTerms = (context: UserContext, fields: ReadonlyArray<string>) =>
  Effect.fail(refuse(modelProblems(context, fields)))

const createForm = adminForm("/admin/models/new", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = (fields.get("id") ?? "").trim()
      const terms = readModelForm(fields)
      if (Result.isFailure(terms)) {
        return yield* refusedTerms(context, isModelId(id) ? terms.failure : ["id", ...terms.failure])
      }
      yield* (yield* ModelAdmin).create(actorOf(context), { id, ...terms.success })
      return redirect(modelPath("edit", id, "created"))
    }).pipe(
      Effect.catchTags({
        ModelRefused: ({ fields }) => refusedTerms(context, fields),
        ModelExists: refusing({ id: sayOf(context, "adminModels")("id.exists") }, 409)
      })
    ),
  again: showNew
})

/** The model that the address names. */
const modelOf = (context: UserContext) =>
  Effect.flatMap(ModelAdmin, (models) => models.get(context.query.get("id") ?? "")).pipe(
    Effect.catchTag("ModelNotFound", notFound)
  )

const showModel = (context: UserContext, sent?: Partial<FormState>) =>
  Effect.map(
    modelOf(context),
    (model) => page(model.id, ModelView({ context, model, ...editOf(model, formOf(model.terms), sent) }))
  )

const editPage = adminPage("/admin/models/edit", (context) => showModel(context))

const editForm = adminForm("/admin/models/edit", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const { id, terms: kept } = yield* modelOf(context)
      const terms = readModelForm(fields, kept)
      if (Result.isFailure(terms)) return yield* refusedTerms(context, terms.failure)
      yield* (yield* ModelAdmin).edit(actorOf(context), { id, revision: revisionIn(fields) }, terms.success)
      return redirect(modelPath("edit", id, "changed"))
    }).pipe(
      Effect.catchTags({
        ...refusals(context),
        ModelRefused: ({ fields }) => refusedTerms(context, fields),
        ChangedMeanwhile: changedMeanwhile(context)
      })
    ),
  again: showModel
})

const turn = switchForms({
  find: modelOf,
  hrefOf: ({ id }: AdminModel, page, done) => modelPath(page, id, done),
  show: (context, problems) => showModel(context, { problems }),
  say: (context) => sayOf(context, "adminModels"),
  textOf: (context, { id }) => sayOf(context, "adminModels")("disable.text", { id }),
  setEnabled: (context, { enabled, revision, row: { id } }) =>
    Effect.flatMap(ModelAdmin, (models) => models.setEnabled(actorOf(context), { id, revision }, enabled)).pipe(
      Effect.catchTags({
        ...refusals(context),
        ChangedMeanwhile: refusing({ form: context.say("meanwhile.short") }, 409)
      })
    )
})

export const AdminModelsRoutes = routes(
  listPage,
  newPage,
  createForm,
  editPage,
  editForm,
  adminPage("/admin/models/disable", turn.ask),
  adminForm("/admin/models/disable", turn.disable),
  adminForm("/admin/models/enable", turn.enable)
)
