/**
 * `/admin/codes`: batches of redemption codes, made, looked at, downloaded and disabled.
 */
import { Effect, Stream } from "effect"
import { RedemptionAdmin } from "../../../../redemption/RedemptionAdmin.ts"
import { codeStates } from "../../../../redemption/RedemptionBatch.ts"
import type { CodesUnreadable } from "../../../../redemption/RedemptionError.ts"
import { orNotFound, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminFormPage, adminPage, type PageForm, pageForm, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { readListed } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, oneOf, pathId } from "../../Params.ts"
import { batchProblems, newBatchPage, readBatchForm } from "./BatchForm.ts"
import { batchPage, disablePage } from "./BatchView.tsx"
import { codeColumns } from "./CodesCsv.ts"
import { codesPage } from "./CodesView.tsx"

const PAGE_SIZE = 25

const list = Effect.fnUntraced(function*(context: UserContext) {
  const state = oneOf(codeStates, context.query.get("state"))
  const admin = yield* RedemptionAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => admin.list({ state, ...range }))
  return codesPage(context, state, found)
})

const unreadable = (context: UserContext) => ({ reason }: CodesUnreadable) =>
  refuse({ form: sayOf(context, "codes")("unreadable", { reason }) }, 503)

const create = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    return newBatchPage(context, state, yield* (yield* RedemptionAdmin).plans)
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* (yield* RedemptionAdmin).create(actorOf(context), readBatchForm(context, fields))
      return redirect(`/admin/codes/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        BatchRefused: (error) => refuse(batchProblems(context, error)),
        CodesUnreadable: unreadable(context)
      })
    )
})

/** The batch of the `:id` in the route of the request at hand. */
const theBatch = Effect.gen(function*() {
  return yield* (yield* RedemptionAdmin).batch(yield* pathId("id"))
})

/** A form of a batch, which is shown on the batch's page. */
const batchForm = <R>(run: PageForm<never, R>["run"]) =>
  pageForm({
    show: Effect.fnUntraced(function*(context, state) {
      const admin = yield* RedemptionAdmin
      const batch = yield* theBatch
      const redeemed = { size: PAGE_SIZE, name: "redeemed_before" }
      const lists = yield* Effect.all({
        codes: readListed(context, { size: PAGE_SIZE }, (range) => admin.codes(batch.id, range)),
        redemptions: readListed(context, redeemed, (range) => admin.redemptions(batch.id, range))
      }, { concurrency: "unbounded" })
      return batchPage({ context, batch, state, ...lists })
    }),
    run
  })

const setDisabled = (isDisabled: boolean) =>
  batchForm((context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      const seen = { id, revision: idOf(fields.get("revision")) ?? 0n }
      yield* (yield* RedemptionAdmin).setDisabled(actorOf(context), seen, isDisabled)
      return redirect(`/admin/codes/${id}?done=${isDisabled ? "disabled" : "enabled"}`)
    }).pipe(
      Effect.catchTag("ChangedMeanwhile", () => refuse({ form: sayOf(context, "codes")("changed") }, 409))
    )
  )

const disable = setDisabled(true)
const enable = setDisabled(false)

const askBatch = (context: UserContext) =>
  Effect.map(
    theBatch,
    (batch) => batch.disabledAt === null ? disablePage({ context, batch }) : redirect(`/admin/codes/${batch.id}`)
  ).pipe(orNotFound)

const askCode = Effect.fnUntraced(function*(context: UserContext) {
  const batch = yield* theBatch
  const codeId = yield* pathId("code")
  const [code] = yield* (yield* RedemptionAdmin).codes(batch.id, { limit: 1, before: codeId + 1n })
  return code?.id === codeId ? disablePage({ context, batch, code }) : yield* new PageNotFound()
}, orNotFound)

const disableCode = batchForm(Effect.fnUntraced(function*(context) {
  const id = yield* pathId("id")
  yield* (yield* RedemptionAdmin).disableCode(actorOf(context), { batchId: id, codeId: yield* pathId("code") })
  return redirect(`/admin/codes/${id}?done=code`)
}))

/** By a form, because each download is written down. */
const csv = batchForm((context) =>
  Effect.gen(function*() {
    const batch = yield* theBatch
    const codes = yield* (yield* RedemptionAdmin).texts(actorOf(context), batch.id)
    return csvAnswer(`realms-codes-${batch.id}.csv`, codeColumns(batch), Stream.fromIterable(codes))
  }).pipe(Effect.catchTag("CodesUnreadable", unreadable(context)))
)

export const CodesRoutes = routes(
  adminPage("/admin/codes", list),
  adminFormPage("/admin/codes/new", create),
  adminPage("/admin/codes/:id", csv.page),
  adminPage("/admin/codes/:id/disable", askBatch),
  adminForm("/admin/codes/:id/disable", disable.form),
  adminForm("/admin/codes/:id/enable", enable.form),
  adminPage("/admin/codes/:id/codes/:code/disable", askCode),
  adminForm("/admin/codes/:id/codes/:code/disable", disableCode.form),
  adminForm("/admin/codes/:id/csv", csv.form)
)
