/**
 * One request, with what comes of it, and the forms that confirm or reject it.
 */
import { mayDo } from "../../../../confirmations/ActionRoles.ts"
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { NOTE_CHARACTERS_MAX } from "../../../../platform/Notes.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"
import { actionName, Facts, StateBadge, worthText } from "./ConfirmationParts.tsx"

interface OneProps {
  readonly context: UserContext
  readonly confirmation: Confirmation
  readonly state: FormState
}

/** By which way it was asked for. */
const wayText = (context: UserContext, { requestedAs }: Confirmation): string => {
  const say = sayOf(context, "confirmations")
  if (requestedAs === "cli") return say("way.command")
  return requestedAs.startsWith("key:") ? say("way.key", { id: requestedAs.slice("key:".length) }) : say("way.session")
}

/** Refunds are asked of a provider, whose answer is on the page of the order or payment. */
const isRefund = ({ action }: Confirmation): boolean => action === "order.refund" || action === "payment.refund"

const Asked = ({ confirmation, context }: OneProps) => {
  const say = sayOf(context, "confirmations")
  return (
    <Card class="mb-3">
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{say("worth")}</dt>
          <dd>
            <strong>{worthText(context, confirmation)}</strong>
          </dd>
          <Facts context={context} facts={confirmation.facts} />
          <dt>{say("note")}</dt>
          <dd class="break-anywhere">{confirmation.note === "" ? "–" : confirmation.note}</dd>
          <dt>{say("requested.by")}</dt>
          <dd class="break-anywhere">{confirmation.requester}</dd>
          <dt>{say("requested.as")}</dt>
          <dd class="break-anywhere">
            {wayText(context, confirmation)}
            {confirmation.address === "" ? null : <span class="text-secondary">, {confirmation.address}</span>}
          </dd>
          <dt>{say("requested")}</dt>
          <dd>
            <Moment context={context} at={confirmation.requestedAt} />
          </dd>
          <dt>{say("expires")}</dt>
          <dd>
            <Moment context={context} at={confirmation.expiresAt} />
          </dd>
          {confirmation.closedAt === null ? null : (
            <>
              <dt>{confirmation.state === "confirmed" ? say("confirmed.by") : say("rejected.by")}</dt>
              <dd class="break-anywhere">
                {confirmation.closer}, <Moment context={context} at={confirmation.closedAt} />
              </dd>
            </>
          )}
          {confirmation.closeNote === "" ? null : (
            <>
              <dt>{say("close.note")}</dt>
              <dd class="break-anywhere">{confirmation.closeNote}</dd>
            </>
          )}
        </dl>
      </div>
    </Card>
  )
}

const Decide = ({ confirmation: { action, id, requestedBy }, state, context }: OneProps) => {
  const say = sayOf(context, "confirmations")
  const isOwn = requestedBy === context.user.id
  if (!mayDo(context.user.role, action)) return <Notice kind="info">{say("not.yours")}</Notice>
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
          <Field
            state={state}
            name="note"
            label={say("close.note")}
            hint={say("close.note.hint")}
            autocomplete="off"
            maxlength={NOTE_CHARACTERS_MAX}
          />
          <button type="submit" class="btn btn-ghost-danger">{isOwn ? say("withdraw") : say("reject")}</button>
        </PostForm>
      </div>
    </Card>
  )
}

export const ConfirmationView = (props: OneProps) => {
  const { confirmation, context } = props
  const say = sayOf(context, "confirmations")
  const done = context.isForm ? null : context.query.get("done")
  return (
    <>
      <PageHeading
        title={`#${confirmation.id} ${actionName(context, confirmation.action)}`}
        lead={<StateBadge context={context} state={confirmation.state} />}
      >
        <a class="btn" href="/admin/confirmations">{say("all")}</a>
      </PageHeading>
      {done === "asked" && confirmation.state === "pending"
        ? <Notice kind="warning">{say("done.asked")}</Notice>
        : null}
      {done === "confirmed" && confirmation.state === "confirmed"
        ? (
          <Notice kind="success">
            {isRefund(confirmation) ? say("done.refund") : say("done.confirmed")}
          </Notice>
        )
        : null}
      {done === "rejected" && confirmation.state === "rejected"
        ? <Notice kind="success">{say("done.rejected")}</Notice>
        : null}
      <Asked {...props} />
      {confirmation.state === "pending" ? <Decide {...props} /> : null}
    </>
  )
}
