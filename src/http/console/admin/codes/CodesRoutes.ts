/**
 * `/admin/codes`: batches of redemption codes, made, looked at, downloaded and disabled.
 */
import { Effect, Layer, Stream } from "effect"
import { RedemptionAdmin } from "../../../../redemption/RedemptionAdmin.ts"
import { codeStates } from "../../../../redemption/RedemptionBatch.ts"
import type { BatchNotFound, CodesUnreadable } from "../../../../redemption/RedemptionError.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { batchProblems, readBatchForm } from "./BatchForm.ts"
import { BatchView, DisableBatchView, DisableCodeView, type PageOfRows } from "./BatchView.tsx"
import { codeColumns } from "./CodesCsv.ts"
import { CodesView } from "./CodesView.tsx"
import { NewBatchView } from "./NewBatchView.tsx"

const PAGE_SIZE = 25

/** Of one row more than is shown. */
const pageOf = <Row>(found: ReadonlyArray<Row>): PageOfRows<Row> => ({
  rows: found.slice(0, PAGE_SIZE),
  hasOlder: found.length > PAGE_SIZE
})

const notFound = () => Effect.fail(new PageNotFound())

const list = Effect.fnUntraced(function*(context: UserContext) {
  const state = codeStates.find((known) => known === context.query.get("state"))
  const before = idOf(context.query.get("before"))
  const found = pageOf(yield* (yield* RedemptionAdmin).list({ limit: PAGE_SIZE + 1, before, state }))
  return page(
    context.say("admin.codes"),
    CodesView({ context, batches: found.rows, hasOlder: found.hasOlder, state })
  )
})

const showNew = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const plans = yield* (yield* RedemptionAdmin).plans
  return page(sayOf(context, "codes")("new"), NewBatchView({ context, state, plans }))
})

const unreadable = (context: UserContext) => ({ reason }: CodesUnreadable) =>
  Effect.fail(refuse({ form: sayOf(context, "codes")("unreadable", { reason }) }, 503))

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const batch = readBatchForm(context, fields)
  const id = yield* (yield* RedemptionAdmin).create(actorOf(context), batch).pipe(
    Effect.catchTags({
      BatchRefused: (error) => Effect.fail(refuse(batchProblems(context, error))),
      CodesUnreadable: unreadable(context)
    })
  )
  return redirect(`/admin/codes/${id}?done=created`)
})

const batchHere = Effect.gen(function*() {
  return yield* (yield* RedemptionAdmin).batch(yield* pathId("id"))
}).pipe(Effect.catchTag("BatchNotFound", (_: BatchNotFound) => notFound()))

const showBatch = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const admin = yield* RedemptionAdmin
  const batch = yield* batchHere
  const query = context.isForm ? new URLSearchParams() : context.query
  const limit = PAGE_SIZE + 1
  const { codes, redemptions } = yield* Effect.all({
    codes: admin.codes(batch.id, { limit, before: idOf(query.get("before")) }),
    redemptions: admin.redemptions(batch.id, { limit, before: idOf(query.get("redeemed_before")) })
  }, { concurrency: "unbounded" })
  return page(batch.name, BatchView({ context, batch, codes: pageOf(codes), redemptions: pageOf(redemptions), state }))
})

const batchAgain = (context: UserContext, values: URLSearchParams, problems: FormState["problems"]) =>
  showBatch(context, { values, problems })

const setDisabled = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams, isDisabled: boolean) {
  const id = yield* pathId("id")
  const seen = { id, revision: idOf(fields.get("revision")) ?? 0n }
  yield* (yield* RedemptionAdmin).setDisabled(actorOf(context), seen, isDisabled).pipe(
    Effect.catchTags({
      BatchNotFound: notFound,
      ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(context, "codes")("changed") }, 409))
    })
  )
  return redirect(`/admin/codes/${id}?done=${isDisabled ? "disabled" : "enabled"}`)
})

const askBatch = adminPage(
  "/admin/codes/:id/disable",
  (context) =>
    Effect.map(batchHere, (batch) =>
      batch.disabledAt === null
        ? page(sayOf(context, "codes")("disable.batch.title"), DisableBatchView({ context, batch }))
        : redirect(`/admin/codes/${batch.id}`))
)

const askCode = adminPage("/admin/codes/:id/codes/:code/disable", (context) =>
  Effect.gen(function*() {
    const batch = yield* batchHere
    const codeId = yield* pathId("code")
    const [code] = yield* (yield* RedemptionAdmin).codes(batch.id, { limit: 1, before: codeId + 1n })
    if (code?.id !== codeId) return yield* new PageNotFound()
    return page(sayOf(context, "codes")("disable.code.title"), DisableCodeView({ context, batch, code }))
  }))

const disableCode = Effect.fnUntraced(function*(context: UserContext) {
  const batchId = yield* pathId("id")
  const codeId = yield* pathId("code")
  yield* (yield* RedemptionAdmin).disableCode(actorOf(context), { batchId, codeId }).pipe(
    Effect.catchTag("CodeNotFound", notFound)
  )
  return redirect(`/admin/codes/${batchId}?done=code`)
})

/** By a form, because each download is written down. */
const csv = Effect.fnUntraced(function*(context: UserContext) {
  const batch = yield* batchHere
  const codes = yield* (yield* RedemptionAdmin).texts(actorOf(context), batch.id).pipe(
    Effect.catchTags({ BatchNotFound: notFound, CodesUnreadable: unreadable(context) })
  )
  return csvAnswer(`realms-codes-${batch.id}.csv`, codeColumns(batch), Stream.fromIterable(codes))
})

export const CodesRoutes = Layer.mergeAll(
  adminPage("/admin/codes", list),
  adminPage("/admin/codes/new", (context) => showNew(context, emptyForm)),
  adminForm("/admin/codes/new", {
    run: create,
    again: (context, values, problems) => showNew(context, { values, problems })
  }),
  adminPage("/admin/codes/:id", (context) => showBatch(context, emptyForm)),
  askBatch,
  adminForm("/admin/codes/:id/disable", {
    run: (context, fields) => setDisabled(context, fields, true),
    again: batchAgain
  }),
  adminForm("/admin/codes/:id/enable", {
    run: (context, fields) => setDisabled(context, fields, false),
    again: batchAgain
  }),
  askCode,
  adminForm("/admin/codes/:id/codes/:code/disable", { run: disableCode, again: batchAgain }),
  adminForm("/admin/codes/:id/csv", { run: csv, again: batchAgain })
)
