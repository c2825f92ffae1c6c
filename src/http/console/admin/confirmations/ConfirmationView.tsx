/**
 * One request, with what comes of it, and the forms that confirm or reject it.
 */
import { mayDo } from "../../../../confirmations/ActionRoles.ts"
import type { Confirmation } from "../../../../confirmations/Confirmations.ts"
import { NOTE_CHARACTERS_MAX } from "../../../../platform/Notes.ts"
import type { FormState } from "../../Answer.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { actionName, Facts, StateBadge, worthText } from "./ConfirmationParts.tsx"
import { confirmationsText } from "./ConfirmationsText.ts"

interface OneProps {
  readonly visit: UserVisit
  readonly confirmation: Confirmation
  readonly state: FormState
}

/** By which way it was asked for. */
const wayText = (visit: UserVisit, { requestedAs }: Confirmation): string => {
  const say = sayOf(visit, confirmationsText)
  if (requestedAs === "cli") return say("way.command")
  return requestedAs.startsWith("key:") ? say("way.key", { id: requestedAs.slice("key:".length) }) : say("way.session")
}

/** Refunds are asked of a provider, whose answer is on the page of the order or payment. */
const isRefund = ({ action }: Confirmation): boolean => action === "order.refund" || action === "payment.refund"

const Asked = ({ confirmation, visit }: OneProps) => {
  const say = sayOf(visit, confirmationsText)
  return (
    <Card class="mb-3">
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{say("worth")}</dt>
          <dd>
            <strong>{worthText(visit, confirmation)}</strong>
          </dd>
          <Facts visit={visit} facts={confirmation.facts} />
          <dt>{say("note")}</dt>
          <dd class="break-anywhere">{confirmation.note === "" ? "–" : confirmation.note}</dd>
          <dt>{say("requested.by")}</dt>
          <dd class="break-anywhere">{confirmation.requester}</dd>
          <dt>{say("requested.as")}</dt>
          <dd class="break-anywhere">
            {wayText(visit, confirmation)}
            {confirmation.address === "" ? null : <span class="text-secondary">, {confirmation.address}</span>}
          </dd>
          <dt>{say("requested.at")}</dt>
          <dd>
            <Moment visit={visit} at={confirmation.requestedAt} />
          </dd>
          <dt>{say("expires")}</dt>
          <dd>
            <Moment visit={visit} at={confirmation.expiresAt} />
          </dd>
          {confirmation.closedAt === null ? null : (
            <>
              <dt>{confirmation.state === "confirmed" ? say("confirmed.by") : say("rejected.by")}</dt>
              <dd class="break-anywhere">
                {confirmation.closer}, <Moment visit={visit} at={confirmation.closedAt} />
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

const Decide = ({ confirmation: { action, id, requestedBy }, state, visit }: OneProps) => {
  const say = sayOf(visit, confirmationsText)
  const isOwn = requestedBy === visit.user.id
  if (!mayDo(visit.user.role, action)) return <Notice kind="info">{say("not.yours")}</Notice>
  return (
    <Card title={isOwn ? say("own.title") : say("decide")}>
      <div class="card-body">
        <FormAlert state={state} />
        <p>{isOwn ? say("own.text") : say("decide.text")}</p>
        {isOwn ? null : (
          <PostForm visit={visit} action={`/admin/confirmations/${id}/confirm`} class="mb-3">
            <button type="submit" class="btn btn-primary">{say("confirm")}</button>
          </PostForm>
        )}
        <PostForm visit={visit} action={`/admin/confirmations/${id}/reject`} class="border-top pt-3">
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
  const { confirmation, visit } = props
  const say = sayOf(visit, confirmationsText)
  const done = visit.isForm ? null : visit.query.get("done")
  return (
    <>
      <PageHeading
        title={`#${confirmation.id} ${actionName(visit, confirmation.action)}`}
        lead={<StateBadge visit={visit} state={confirmation.state} />}
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
