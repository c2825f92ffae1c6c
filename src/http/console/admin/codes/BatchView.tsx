/**
 * One batch: what it gives, its codes by their last characters, who has redeemed them, and the questions before one is disabled.
 */
import type { Redemption, RedemptionBatch, RedemptionCode } from "../../../../redemption/RedemptionBatch.ts"
import { type FormState, type Page, page } from "../../Answer.ts"
import { ConfirmPage, EnabledAction, FormAlert, PostForm, switchOf } from "../../kit/Forms.tsx"
import { amountColumn, ListCard, type Listed, timeColumn } from "../../kit/List.tsx"
import { Badge, Done, FactsCard, Moment, PageHeading, StateBadge } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { giftName, states, usesText } from "./CodeParts.ts"

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
        [say("count"), count(batch.codes)],
        [say("uses"), count(batch.usesMax)],
        [say("redeemed"), usesText(context, batch.uses, batch.codes * batch.usesMax)],
        [say("expires"), batch.expiresAt === null ? say("never") : <Moment context={context} at={batch.expiresAt} />],
        [say("created"), <span class="break-anywhere">{made}</span>],
        batch.note === "" ? null : [say("note"), <span class="break-anywhere">{batch.note}</span>]
      ]}
      footer={
        <>
          <PostForm context={context} action={`/admin/codes/${batch.id}/csv`}>
            <button type="submit" class="btn btn-primary">{say("download")}</button>
          </PostForm>
          <div class="form-hint mt-2">{say("download.hint")}</div>
        </>
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
        { title: say("code"), cell: ({ hint }) => <Hint hint={hint} /> },
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
        { title: say("code"), cell: ({ hint }) => <Hint hint={hint} /> },
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

export const batchPage = ({ batch, codes, redemptions, state, context }: BatchPageProps): Page => {
  const say = sayOf(context, "codes")
  const done = {
    created: say("done.created"),
    disabled: say("done.disabled"),
    enabled: say("done.enabled"),
    code: say("done.code")
  }
  return page(
    batch.name,
    <>
      <PageHeading title={batch.name} lead={<a href="/admin/codes">{context.say("admin.codes")}</a>}>
        <EnabledAction context={context} paths={switchOf(`/admin/codes/${batch.id}`)} row={batch} say={say} />
      </PageHeading>
      <FormAlert state={state} />
      <Done context={context} texts={done} />
      <div class="row">
        <div class="col-lg-5">
          <BatchFacts context={context} batch={batch} />
          <RedemptionsCard context={context} batch={batch} redemptions={redemptions} />
        </div>
        <div class="col-lg-7">
          <CodesCard context={context} batch={batch} codes={codes} />
        </div>
      </div>
    </>
  )
}

/** The question before a batch is disabled, or one of its codes. */
export const disablePage = ({ batch, code, context }: BatchProps & { readonly code?: RedemptionCode }): Page => {
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
  return page(question.title, <ConfirmPage context={context} {...question} cancel={say("keepIt")} back={path} />)
}
