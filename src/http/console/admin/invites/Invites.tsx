/**
 * `/admin/invites`: invitations to make an account. The link of a new one is in the answer of the form that made it, once, and nowhere
 * else.
 */
import { Effect, Option, Redacted } from "effect"
import { InviteId } from "../../../../domain/Ids.ts"
import {
  type Invite,
  INVITE_DAYS_MAX,
  INVITE_USES_MAX,
  type InviteRefused,
  Invites
} from "../../../../identity/Invites.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { emptyForm, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { askPage } from "../../kit/Forms.tsx"
import { byId, dayColumn, type ItemColumn, readListPage, textColumn } from "../../kit/List.tsx"
import { Copyable, NewLink, Notice, PageHeading, Panel, StateBadge, type States } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import type { TextKey } from "../../text/Texts.ts"

const PATH = "/admin/invites"

type State = "open" | "used" | "expired" | "revoked"

const states: States<State, TextKey<"invites">> = {
  open: ["green", "state.open"],
  used: ["secondary", "usedUp"],
  expired: ["secondary", "expired"],
  revoked: ["secondary", "revoked"]
}

const stateOf = ({ expiresAt, revokedAt, uses, usesMax }: Invite, now: Date): State => {
  if (revokedAt !== null) return "revoked"
  if (uses >= usesMax) return "used"
  return expiresAt <= now ? "expired" : "open"
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<Invite>> => {
  const say = sayOf(context, "invites")
  const { count } = context.formats
  const revokeLink = ({ id, note }: Invite) => (
    <a
      class="btn btn-sm btn-ghost-danger"
      href={`${PATH}/${id}/revoke`}
      aria-label={say("revoke.label", { name: note === "" ? `#${id}` : note })}
    >
      {say("revoke")}
    </a>
  )
  return [
    textColumn(say("note"), ({ id, note }) => note === "" ? `#${id}` : note),
    textColumn(say("for"), ({ email }) => email ?? say("for.any"), { wide: true }),
    {
      title: say("uses"),
      number: true,
      cell: ({ uses, usesMax }) => <span class="nowrap">{count(BigInt(uses))} / {count(BigInt(usesMax))}</span>
    },
    {
      title: say("state"),
      cell: (invite) => <StateBadge say={say} states={states} state={stateOf(invite, context.now)} />
    },
    dayColumn(context, say("expires"), ({ expiresAt }) => expiresAt),
    dayColumn(context, say("created"), ({ createdAt }) => createdAt),
    {
      title: say("action"),
      number: true,
      cell: (invite) => stateOf(invite, context.now) === "open" ? revokeLink(invite) : null
    }
  ]
}

const list = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "invites")
  const invites = yield* Invites
  const { registration } = (yield* Settings).current()
  const newLink = <NewLink href={`${PATH}/new`} text={say("new")} />
  return yield* readListPage<Invite, Effect.Error<ReturnType<typeof invites.list>>, never>({
    context,
    path: PATH,
    title: say("title"),
    lead: say("lead"),
    actions: newLink,
    done: { revoked: say("done.revoked") },
    warning: registration.mode === "closed" ? say("closed") : undefined,
    read: invites.list,
    cursor: byId,
    empty: { icon: "users", title: say("empty"), action: newLink },
    columns: columnsOf(context)
  })
})

const problemsOf = (context: PageContext, reason: InviteRefused["reason"]): Problems => {
  const say = sayOf(context, "invites")
  return {
    note: { note: say("note.problem") },
    email: { email: say("email.invalid") },
    uses: { uses: say("uses.problem", { max: INVITE_USES_MAX }) },
    days: { days: say("days.problem", { max: INVITE_DAYS_MAX }) },
    many: { form: say("many") }
  }[reason]
}

/** A whole number, or 0, which nothing takes. */
const wholeIn = (fields: URLSearchParams, name: string): number => {
  const text = (fields.get(name) ?? "").trim()
  return /^\d{1,6}$/.test(text) ? Number(text) : 0
}

const making = pageForm({
  show: (context, state) => {
    const say = sayOf(context, "invites")
    return Effect.succeed(askPage({
      context,
      state,
      title: say("new"),
      submit: say("submit"),
      action: `${PATH}/new`,
      back: PATH,
      inputs: [
        { name: "note", label: say("note"), hint: say("note.hint"), maxlength: 100, autofocus: state === emptyForm },
        [
          { is: "integer", name: "uses", label: say("uses.max"), initial: "1", required: true },
          { is: "integer", name: "days", label: say("days.valid"), initial: "7", required: true }
        ],
        { is: "email", name: "email", label: say("for"), hint: say("for.hint"), maxlength: 254 }
      ]
    }))
  },
  run: Effect.fnUntraced(function*(context, fields) {
    const say = sayOf(context, "invites")
    const email = (fields.get("email") ?? "").trim()
    const asked = {
      note: fields.get("note") ?? "",
      email: email === "" ? null : email,
      usesMax: wholeIn(fields, "uses"),
      validDays: wholeIn(fields, "days")
    }
    const { expiresAt, token } = yield* (yield* Invites).create(actorOf(context), asked).pipe(
      Effect.catchTag("InviteRefused", ({ reason }) => refuse(problemsOf(context, reason)))
    )
    const url = `${(yield* PublicAddress).url()}/invite/${Redacted.value(token)}`
    return page(
      say("created.title"),
      <>
        <PageHeading title={say("created.title")} />
        <Notice kind="warning">{say("once", { at: context.formats.time(expiresAt) })}</Notice>
        <Panel class="mb-3">
          <Copyable id="invite-link" text={url} label={say("copy")} copied={say("copied")} />
        </Panel>
        <a class="btn btn-primary" href={PATH}>{say("done")}</a>
      </>
    )
  })
})

const theInvite = Effect.gen(function*() {
  const found = yield* (yield* Invites).find(yield* pathId("id", InviteId))
  return Option.isNone(found) ? yield* new PageNotFound() : found.value
})

const revocation = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const say = sayOf(context, "invites")
    const { id, note } = yield* theInvite
    return askPage({
      context,
      state,
      title: say("revoke.title"),
      text: say("revoke.text", { name: note === "" ? `#${id}` : note }),
      submit: say("revoke"),
      danger: true,
      action: `${PATH}/${id}/revoke`,
      back: PATH
    })
  }),
  run: Effect.fnUntraced(function*(context) {
    const { id } = yield* theInvite
    yield* (yield* Invites).revoke(actorOf(context), id)
    return redirect(`${PATH}?done=revoked`)
  })
})

export const InvitesRoutes = routes(
  adminPage(PATH, list),
  adminFormPage(`${PATH}/new`, making),
  adminFormPage(`${PATH}/:id/revoke`, revocation)
)
