/**
 * `/admin/codes`: batches of redemption codes, made, looked at, downloaded and disabled, by root alone.
 */
import { Effect, Stream } from "effect"
import { readBatchEdit, readBatchForm } from "../../../../redemption/BatchForm.ts"
import { codeColumns } from "../../../../redemption/CodeCsv.ts"
import { RedemptionAdmin } from "../../../../redemption/RedemptionAdmin.ts"
import {
  type CodeState,
  codeStates,
  type Gift,
  type Redemption,
  type RedemptionBatch,
  type RedemptionCode
} from "../../../../redemption/RedemptionBatch.ts"
import type { CodesUnreadable } from "../../../../redemption/RedemptionError.ts"
import { emptyForm, type FormState, orNotFound, type Page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminFormPage, adminPage, type PageForm, pageForm, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { askPage, ButtonForm, EnabledAction, headedPage, switchOf } from "../../kit/Forms.tsx"
import { amountColumn, byId, type Listed, listPage, readListed, timeColumn } from "../../kit/List.tsx"
import { ListCard } from "../../kit/ListCard.tsx"
import { Badge, FactsCard, Moment, NewLink, StateBadge, type States } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, oneOf, pathId } from "../../Params.ts"
import type { TextKey } from "../../text/Texts.ts"
import { batchProblems, editBatchPage, newBatchPage } from "./BatchForm.ts"

const states: States<CodeState, TextKey<"codes">> = {
  active: ["green", "active"],
  used: ["blue", "state.used"],
  expired: ["yellow", "expired"],
  disabled: ["secondary", "state.disabled"]
}

/** What one use of a code gives, in words. */
const giftName = (context: PageContext, gift: Gift): string => {
  const say = sayOf(context, "codes")
  return gift.kind === "balance"
    ? say("gives.balance", { amount: context.formats.usd(gift.usdMicros) })
    : say("gives.plan", { name: gift.terms.name, days: gift.terms.durationDays })
}

/** How many uses there have been of how many there may be. */
const usesText = (context: PageContext, uses: number, max: number): string =>
  sayOf(context, "codes")("redeemed.of", { uses: context.formats.count(uses), max: context.formats.count(max) })

/** `state`: the only one that is listed. */
const codesPage = (context: UserContext, state: string | undefined, batches: Listed<RedemptionBatch>): Page => {
  const say = sayOf(context, "codes")
  const create = <NewLink href="/admin/codes/new" text={say("new")} />
  const options = codeStates.map((one) => [one, say(states[one][1])] as const)
  return listPage<RedemptionBatch>({
    context,
    path: "/admin/codes",
    title: context.say("admin.codes"),
    lead: say("lead"),
    actions: batches.items.length === 0 && state === undefined ? undefined : create,
    filter: [{ is: "choice", name: "state", label: say("state"), value: state, options }],
    ...batches,
    cursor: byId,
    empty: { icon: "gift", title: say("empty"), text: say("empty.text"), action: create },
    none: say("empty.state"),
    columns: [
      { title: say("batch"), cell: ({ id, name }) => <a class="break-anywhere" href={`/admin/codes/${id}`}>{name}</a> },
      {
        title: say("gives"),
        wide: true,
        cell: ({ gift }) => <span class="break-anywhere">{giftName(context, gift)}</span>
      },
      { title: say("codes"), number: true, wide: true, cell: ({ codes }) => context.formats.count(codes) },
      amountColumn(say("redeemed"), ({ codes, uses, usesMax }) => usesText(context, uses, codes * usesMax)),
      { title: say("state"), cell: (batch) => <StateBadge say={say} states={states} state={batch.state} /> },
      timeColumn(context, say("expires"), ({ expiresAt }) => expiresAt, say("expires.never")),
      timeColumn(context, say("created"), ({ createdAt }) => createdAt)
    ]
  })
}

interface BatchProps {
  readonly context: UserContext
  readonly batch: RedemptionBatch
}

/** The last characters of a code, as it is spoken of. */
const Hint = ({ hint }: { readonly hint: string }) => <code class="nowrap">…{hint}</code>

const BatchFacts = ({ batch, context }: BatchProps) => {
  const say = sayOf(context, "codes")
  const { count, time } = context.formats
  const made = say("created.by", { time: time(batch.createdAt), who: batch.createdBy ?? say("cli") })
  return (
    <FactsCard
      facts={[
        [say("state"), <StateBadge say={say} states={states} state={batch.state} />],
        [say("gives"), <span class="break-anywhere">{giftName(context, batch.gift)}</span>],
        batch.groupCode === null ? null : [say("group"), <code>{batch.groupCode}</code>],
        [say("count"), count(batch.codes)],
        [say("uses"), count(batch.usesMax)],
        [say("redeemed"), usesText(context, batch.uses, batch.codes * batch.usesMax)],
        [
          say("expires"),
          batch.expiresAt === null ? say("expires.never") : <Moment context={context} at={batch.expiresAt} />
        ],
        [say("created"), <span class="break-anywhere">{made}</span>],
        batch.note === "" ? null : [say("note"), <span class="break-anywhere">{batch.note}</span>]
      ]}
      footer={
        <ButtonForm
          context={context}
          action={`/admin/codes/${batch.id}/csv`}
          look="btn-primary"
          button={say("download")}
        >
          <div class="form-hint mt-2">{say("download.hint")}</div>
        </ButtonForm>
      }
    />
  )
}

const CodesCard = ({ batch, codes, context }: BatchProps & { readonly codes: Listed<RedemptionCode> }) => {
  const say = sayOf(context, "codes")
  const path = `/admin/codes/${batch.id}`
  return (
    <ListCard
      context={context}
      path={path}
      name="before"
      title={say("codes")}
      actions={<Badge tone="secondary">{context.formats.count(batch.codes)}</Badge>}
      {...codes}
      empty={say("empty")}
      columns={[
        { title: say("codes"), cell: ({ hint }) => <Hint hint={hint} /> },
        amountColumn(say("redeemed"), ({ uses, usesMax }: RedemptionCode) => usesText(context, uses, usesMax)),
        { title: say("state"), cell: ({ state }) => <StateBadge say={say} states={states} state={state} /> },
        {
          title: say("action"),
          number: true,
          cell: ({ hint, id, state }) =>
            state === "active"
              ? (
                <a
                  class="btn btn-sm btn-ghost-danger"
                  href={`${path}/codes/${id}/disable`}
                  aria-label={say("disable.label", { hint })}
                >
                  {say("disable")}
                </a>
              )
              : null
        }
      ]}
    />
  )
}

const RedemptionsCard = (
  { batch, redemptions, context }: BatchProps & { readonly redemptions: Listed<Redemption> }
) => {
  const say = sayOf(context, "codes")
  return (
    <ListCard
      context={context}
      path={`/admin/codes/${batch.id}`}
      name="redeemed_before"
      title={say("redemptions")}
      {...redemptions}
      empty={say("redemptions.none")}
      columns={[
        {
          title: say("user"),
          cell: ({ email, userId }) => <a class="break-anywhere" href={`/admin/users/${userId}`}>{email}</a>
        },
        { title: say("codes"), cell: ({ hint }) => <Hint hint={hint} /> },
        timeColumn(context, say("time"), ({ at }: Redemption) => at)
      ]}
    />
  )
}

interface BatchPageProps extends BatchProps {
  readonly codes: Listed<RedemptionCode>
  readonly redemptions: Listed<Redemption>
  readonly state: FormState
}

const batchPage = ({ batch, codes, redemptions, state, context }: BatchPageProps): Page => {
  const say = sayOf(context, "codes")
  return headedPage({
    context,
    title: batch.name,
    lead: <a href="/admin/codes">{context.say("admin.codes")}</a>,
    actions: (
      <div class="btn-list">
        <a class="btn" href={`/admin/codes/${batch.id}/edit`}>{say("edit")}</a>
        <EnabledAction context={context} paths={switchOf(`/admin/codes/${batch.id}`)} row={batch} say={say} />
      </div>
    ),
    done: {
      created: say("done.created"),
      changed: say("done.changed"),
      disabled: say("done.disabled"),
      enabled: say("done.enabled"),
      code: say("done.code")
    },
    state,
    children: (
      <div class="row">
        <div class="col-lg-5">
          <BatchFacts context={context} batch={batch} />
          <RedemptionsCard context={context} batch={batch} redemptions={redemptions} />
        </div>
        <div class="col-lg-7">
          <CodesCard context={context} batch={batch} codes={codes} />
        </div>
      </div>
    )
  })
}

/** The question before a batch is disabled, or one of its codes. */
const disablePage = ({ batch, code, context }: BatchProps & { readonly code?: RedemptionCode }): Page => {
  const say = sayOf(context, "codes")
  const path = `/admin/codes/${batch.id}`
  const question = code === undefined
    ? {
      title: say("disable.batch.title"),
      text: say("disable.batch.text", { name: batch.name }),
      submit: say("disable.batch.submit"),
      action: `${path}/disable`,
      revision: batch.revision
    }
    : {
      title: say("disable.code.title"),
      text: say("disable.code.text", { hint: code.hint }),
      submit: say("disable.code.submit"),
      action: `${path}/codes/${code.id}/disable`
    }
  return askPage({ context, state: emptyForm, ...question, danger: true, backText: say("keepIt"), back: path })
}

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
    const { groups, plans } = yield* RedemptionAdmin
    return newBatchPage(context, state, yield* Effect.all({ plans, groups }))
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* (yield* RedemptionAdmin).create(
        actorOf(context),
        readBatchForm(fields, context.formats.timeZone)
      )
      return redirect(`/admin/codes/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        BatchRefused: (error) => refuse(batchProblems(context, error)),
        BatchReused: () => refuse({ form: sayOf(context, "codes")("refund.reused") }, 409),
        CodesUnreadable: unreadable(context)
      })
    )
})

/** The batch of the `:id` in the route of the request at hand. */
const theBatch = Effect.gen(function*() {
  return yield* (yield* RedemptionAdmin).batch(yield* pathId("id"))
})

/** A form of a batch, which is shown on the batch's page. */
function batchForm<R>(run: PageForm<never, R>["run"]) {
  return pageForm({
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
}

const edit = pageForm({
  show: (context, state) => Effect.map(theBatch, (batch) => editBatchPage(context, state, batch)),
  run: (context, fields) =>
    Effect.gen(function*() {
      const batch = yield* theBatch
      const seen = { id: batch.id, revision: idOf(fields.get("revision")) ?? 0n }
      const asked = readBatchEdit(fields, context.formats.timeZone, batch.expiresAt)
      yield* (yield* RedemptionAdmin).edit(actorOf(context), seen, asked)
      return redirect(`/admin/codes/${batch.id}?done=changed`)
    }).pipe(
      Effect.catchTags({
        BatchRefused: (error) => refuse(batchProblems(context, error)),
        ChangedMeanwhile: () => refuse({ form: sayOf(context, "codes")("changed") }, 409)
      })
    )
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
  adminFormPage("/admin/codes/:id/edit", edit),
  adminPage("/admin/codes/:id/disable", askBatch),
  adminForm("/admin/codes/:id/disable", disable.form),
  adminForm("/admin/codes/:id/enable", enable.form),
  adminPage("/admin/codes/:id/codes/:code/disable", askCode),
  adminForm("/admin/codes/:id/codes/:code/disable", disableCode.form),
  adminForm("/admin/codes/:id/csv", csv.form)
)
