/**
 * `/admin/confirmations`: what waits for a second person, who confirms or rejects it here; its requester can only withdraw it.
 */
import { Effect } from "effect"
import { mayDo } from "../../../../confirmations/ActionRoles.ts"
import { type Confirmation, Confirmations } from "../../../../confirmations/Confirmations.ts"
import { NOTE_CHARACTERS_MAX } from "../../../../platform/Notes.ts"
import { type FormState, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { ButtonForm, FormAlert, InputForm } from "../../kit/Forms.tsx"
import { amountColumn, byId, type ItemColumn, readListPage, textColumn, timeColumn } from "../../kit/List.tsx"
import { Done, FactsCard, Moment, Notice, PageHeading, Panel, StateBadge, Tabs } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { factsOf, refusedText, requestName, states, worthText } from "./ConfirmationParts.tsx"

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<Confirmation>> => {
  const say = sayOf(context, "confirmations")
  return [
    {
      title: say("request"),
      cell: (one) => <a href={`/admin/confirmations/${one.id}`}>{requestName(context, one)}</a>
    },
    amountColumn(say("worth"), (one) => worthText(context, one)),
    { title: say("state"), cell: ({ state }) => <StateBadge say={say} states={states} state={state} /> },
    textColumn(say("requested.by"), ({ requester }) => requester, { wide: true }),
    timeColumn(context, say("requested"), ({ requestedAt }) => requestedAt)
  ]
}

const list = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "confirmations")
  const isAll = context.query.get("view") === "all"
  const state = isAll ? undefined : "pending"
  const confirmations = yield* Confirmations
  return yield* readListPage({
    context,
    read: (range) => confirmations.list({ state, ...range }),
    path: "/admin/confirmations",
    title: say("title"),
    lead: say("lead"),
    kept: isAll ? { view: "all" } : {},
    cursor: byId,
    columns: columnsOf(context),
    empty: { icon: "check", title: isAll ? say("none") : say("none.waiting") },
    children: (
      <Tabs
        tabs={[
          { href: "/admin/confirmations", text: say("waiting"), isShown: !isAll },
          { href: "/admin/confirmations?view=all", text: say("tab.all"), isShown: isAll }
        ]}
      />
    )
  })
})

interface OneProps {
  readonly context: UserContext
  readonly confirmation: Confirmation
  readonly state: FormState
}

/** By which way it was asked for, and from where. */
const wayText = (context: UserContext, { address, requestedAs }: Confirmation): string => {
  const say = sayOf(context, "confirmations")
  const way = requestedAs === "cli"
    ? say("way.command")
    : requestedAs.startsWith("key:")
    ? say("way.key", { id: requestedAs.slice("key:".length) })
    : say("way.session")
  return address === "" ? way : `${way}, ${address}`
}

const Asked = ({ confirmation, context }: OneProps) => {
  const say = sayOf(context, "confirmations")
  const { closedAt, closeNote, closer, note, requester, state } = confirmation
  const text = (value: string) => <span class="break-anywhere">{value}</span>
  return (
    <FactsCard
      facts={[
        [say("worth"), <strong>{worthText(context, confirmation)}</strong>],
        ...factsOf(context, confirmation.facts),
        [say("note"), text(note === "" ? "–" : note)],
        [say("requested.by"), text(requester)],
        [say("requested.as"), text(wayText(context, confirmation))],
        [say("requested"), <Moment context={context} at={confirmation.requestedAt} />],
        [say("expires"), <Moment context={context} at={confirmation.expiresAt} />],
        closedAt === null ? null : [
          state === "confirmed" ? say("confirmed.by") : say("rejected.by"),
          <>
            {text(closer ?? "")}, <Moment context={context} at={closedAt} />
          </>
        ],
        closeNote === "" ? null : [say("close.note"), text(closeNote)]
      ]}
    />
  )
}

const Decide = ({ confirmation: { action, id, requestedBy }, state, context }: OneProps) => {
  const say = sayOf(context, "confirmations")
  const path = `/admin/confirmations/${id}`
  const isOwn = requestedBy === context.user.id
  if (!mayDo(context.user.role, action)) return <Notice kind="info">{say("not.yours")}</Notice>
  const note = { name: "note", label: say("close.note"), hint: say("close.note.hint"), maxlength: NOTE_CHARACTERS_MAX }
  return (
    <Panel title={isOwn ? say("own.title") : say("decide")}>
      <FormAlert state={state} />
      <p>{isOwn ? say("own.text") : say("decide.text")}</p>
      {isOwn
        ? null
        : (
          <ButtonForm
            context={context}
            action={`${path}/confirm`}
            class="mb-3"
            look="btn-primary"
            button={say("confirm")}
          />
        )}
      <InputForm
        context={context}
        action={`${path}/reject`}
        class="border-top pt-3"
        state={state}
        inputs={[note]}
        look="btn-ghost-danger"
        submit={isOwn ? say("withdraw") : say("reject")}
      />
    </Panel>
  )
}

/** What has just been done, as long as it is still so. */
const ConfirmationDone = ({ confirmation: { action, state }, context }: OneProps) => {
  const say = sayOf(context, "confirmations")
  // The provider's answer to a refund is on the page of the order or payment.
  const isRefund = action === "order.refund" || action === "payment.refund"
  const texts = {
    pending: { asked: ["warning", say("done.asked")] },
    confirmed: { confirmed: isRefund ? say("done.refund") : say("done.confirmed") },
    rejected: { rejected: say("done.rejected") },
    expired: {}
  } as const
  return <Done context={context} texts={texts[state]} />
}

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const say = sayOf(context, "confirmations")
  const confirmation = yield* (yield* Confirmations).find(yield* pathId("id"))
  const props = { context, confirmation, state }
  return page(
    say("one.title", { id: confirmation.id.toString() }),
    <>
      <PageHeading
        title={requestName(context, confirmation)}
        lead={<StateBadge say={say} states={states} state={confirmation.state} />}
      >
        <a class="btn" href="/admin/confirmations">{say("all")}</a>
      </PageHeading>
      <ConfirmationDone {...props} />
      <Asked {...props} />
      {confirmation.state === "pending" ? <Decide {...props} /> : null}
    </>
  )
})

const confirmerOf = (context: UserContext) => ({ ...actorOf(context), userId: context.user.id })

const confirm = pageForm({
  show,
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).confirm(confirmerOf(context), id)
      return redirect(`/admin/confirmations/${id}?done=confirmed`)
    }).pipe(
      Effect.catchTag("ActionRefused", (refused) => {
        const why = refusedText(context, refused)
        return refuse({ form: sayOf(context, "confirmations")("impossible", { why }) }, 409)
      })
    )
})

const reject = pageForm({
  show,
  run: Effect.fnUntraced(function*(context, fields) {
    const id = yield* pathId("id")
    yield* (yield* Confirmations).reject(confirmerOf(context), id, fields.get("note") ?? "")
    return redirect(`/admin/confirmations/${id}?done=rejected`)
  })
})

export const ConfirmationsRoutes = routes(
  adminPage("/admin/confirmations", list),
  adminPage("/admin/confirmations/:id", confirm.page),
  adminForm("/admin/confirmations/:id/confirm", confirm.form),
  adminForm("/admin/confirmations/:id/reject", reject.form)
)
