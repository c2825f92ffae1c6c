/**
 * One request, with what comes of it, and the forms that confirm or reject it.
 */
import { mayDo } from "../../../../confirmations/ActionRoles.ts"
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { NOTE_CHARACTERS_MAX } from "../../../../platform/Notes.ts"
import { type FormState, type Page, page } from "../../Answer.ts"
import { FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Card, Done, FactsCard, Moment, Notice, PageHeading, StateBadge } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { factsOf, requestName, states, worthText } from "./ConfirmationParts.tsx"

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
  const isOwn = requestedBy === context.user.id
  if (!mayDo(context.user.role, action)) return <Notice kind="info">{say("not.yours")}</Notice>
  const note = { name: "note", label: say("close.note"), hint: say("close.note.hint"), maxlength: NOTE_CHARACTERS_MAX }
  return (
    <Card title={isOwn ? say("own.title") : say("decide")}>
      <div class="card-body">
        <FormAlert state={state} />
        <p>{isOwn ? say("own.text") : say("decide.text")}</p>
        {isOwn ? null : (
          <PostForm context={context} action={`/admin/confirmations/${id}/confirm`} class="mb-3">
            <button type="submit" class="btn btn-primary">{say("confirm")}</button>
          </PostForm>
        )}
        <PostForm context={context} action={`/admin/confirmations/${id}/reject`} class="border-top pt-3">
          <Inputs state={state} inputs={[note]} />
          <button type="submit" class="btn btn-ghost-danger">{isOwn ? say("withdraw") : say("reject")}</button>
        </PostForm>
      </div>
    </Card>
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

export const confirmationPage = (props: OneProps): Page => {
  const { confirmation, context } = props
  const say = sayOf(context, "confirmations")
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
}
