/**
 * One batch: what it gives, its codes by their last characters, who has redeemed them, and the questions before one is disabled.
 */
import type { Redemption, RedemptionBatch, RedemptionCode } from "../../../../redemption/RedemptionBatch.ts"
import type { FormState } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { giftName, ListPager, StateBadge, usesText } from "./CodeParts.tsx"

interface BatchProps {
  readonly context: UserContext
  readonly batch: RedemptionBatch
}

/** A page of a list, and whether there are older rows. */
export interface PageOfRows<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly hasOlder: boolean
}

/** The last characters of a code, as it is spoken of. */
const Hint = ({ hint }: { readonly hint: string }) => <code class="nowrap">…{hint}</code>

const DoneNotice = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "codes")
  const texts = new Map([
    ["created", say("done.created")],
    ["disabled", say("done.disabled")],
    ["enabled", say("done.enabled")],
    ["code", say("done.code")]
  ])
  const text = context.isForm ? undefined : texts.get(context.query.get("done") ?? "")
  return text === undefined ? null : <Notice kind="success">{text}</Notice>
}

const Actions = ({ batch, context }: BatchProps) => {
  const say = sayOf(context, "codes")
  return batch.disabledAt === null
    ? <a class="btn" href={`/admin/codes/${batch.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm context={context} action={`/admin/codes/${batch.id}/enable`}>
        <input type="hidden" name="revision" value={batch.revision.toString()} />
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const Facts = ({ batch, context }: BatchProps) => {
  const say = sayOf(context, "codes")
  const made = { time: context.formats.time(batch.createdAt), who: batch.createdBy ?? say("cli") }
  return (
    <dl class="facts mb-0">
      <dt>{say("state")}</dt>
      <dd>
        <StateBadge context={context} state={batch.state} />
      </dd>
      <dt>{say("gives")}</dt>
      <dd class="break-anywhere">{giftName(context, batch.gift)}</dd>
      <dt>{say("count")}</dt>
      <dd>{context.formats.count(batch.codes)}</dd>
      <dt>{say("uses")}</dt>
      <dd>{context.formats.count(batch.usesMax)}</dd>
      <dt>{say("redeemed")}</dt>
      <dd>{usesText(context, batch.uses, batch.codes * batch.usesMax)}</dd>
      <dt>{say("expires")}</dt>
      <dd>{batch.expiresAt === null ? say("never") : <Moment context={context} at={batch.expiresAt} />}</dd>
      <dt>{say("created")}</dt>
      <dd class="break-anywhere">{say("created.by", made)}</dd>
      {batch.note === "" ? null : (
        <>
          <dt>{say("note")}</dt>
          <dd class="break-anywhere">{batch.note}</dd>
        </>
      )}
    </dl>
  )
}

const CodeTable = (
  { batch, codes, context }: BatchProps & { readonly codes: ReadonlyArray<RedemptionCode> }
) => {
  const say = sayOf(context, "codes")
  return (
    <DataTable
      caption={say("codes")}
      columns={[
        { title: say("code") },
        { title: say("redeemed"), number: true },
        { title: say("state") },
        { title: say("action"), number: true }
      ]}
      rows={codes.map((code) => [
        <Hint hint={code.hint} />,
        <span class="nowrap">{usesText(context, code.uses, code.usesMax)}</span>,
        <StateBadge context={context} state={code.state} />,
        code.state === "active"
          ? (
            <a
              class="btn btn-sm btn-ghost-danger"
              href={`/admin/codes/${batch.id}/codes/${code.id}/disable`}
              aria-label={say("disable.label", { hint: code.hint })}
            >
              {say("disable")}
            </a>
          )
          : null
      ])}
    />
  )
}

const RedemptionTable = (
  { redemptions, context }: { readonly context: UserContext; readonly redemptions: ReadonlyArray<Redemption> }
) => {
  const say = sayOf(context, "codes")
  return (
    <DataTable
      caption={say("redemptions")}
      columns={[{ title: say("user") }, { title: say("code") }, { title: say("time"), wide: true }]}
      rows={redemptions.map((redemption) => [
        <a class="break-anywhere" href={`/admin/users/${redemption.userId}`}>{redemption.email}</a>,
        <Hint hint={redemption.hint} />,
        <Moment context={context} at={redemption.at} />
      ])}
    />
  )
}

export const BatchView = (
  { batch, codes, redemptions, state, context }: BatchProps & {
    readonly codes: PageOfRows<RedemptionCode>
    readonly redemptions: PageOfRows<Redemption>
    readonly state: FormState
  }
) => {
  const say = sayOf(context, "codes")
  const path = `/admin/codes/${batch.id}`
  const lastOf = <Row extends { readonly id: bigint }>({ hasOlder, rows }: PageOfRows<Row>) =>
    hasOlder ? rows.at(-1)?.id : undefined
  return (
    <>
      <PageHeading title={batch.name} lead={<a href="/admin/codes">{context.say("admin.codes")}</a>}>
        <Actions context={context} batch={batch} />
      </PageHeading>
      <FormAlert state={state} />
      <DoneNotice context={context} />
      <div class="row g-3">
        <div class="col-lg-5 d-flex flex-column gap-3">
          <Card>
            <div class="card-body">
              <Facts context={context} batch={batch} />
            </div>
            <div class="card-footer">
              <PostForm context={context} action={`${path}/csv`}>
                <button type="submit" class="btn btn-primary">{say("download")}</button>
              </PostForm>
              <div class="form-hint mt-2">{say("download.hint")}</div>
            </div>
          </Card>
          <Card title={say("redemptions")}>
            {redemptions.rows.length === 0
              ? <Nothing icon="gift" title={say("redemptions.none")} />
              : <RedemptionTable context={context} redemptions={redemptions.rows} />}
            <ListPager context={context} path={path} name="redeemed_before" older={lastOf(redemptions)} />
          </Card>
        </div>
        <div class="col-lg-7">
          <Card title={say("codes")} actions={<Badge tone="secondary">{context.formats.count(batch.codes)}</Badge>}>
            <CodeTable context={context} batch={batch} codes={codes.rows} />
            <ListPager context={context} path={path} name="before" older={lastOf(codes)} />
          </Card>
        </div>
      </div>
    </>
  )
}

export const DisableBatchView = ({ batch, context }: BatchProps) => {
  const say = sayOf(context, "codes")
  return (
    <ConfirmPage
      context={context}
      cancel={say("keepIt")}
      title={say("disable.batch.title")}
      text={say("disable.batch.text", { name: batch.name })}
      submit={say("disable.batch.submit")}
      action={`/admin/codes/${batch.id}/disable`}
      back={`/admin/codes/${batch.id}`}
      revision={batch.revision}
    />
  )
}

export const DisableCodeView = ({ batch, code, context }: BatchProps & { readonly code: RedemptionCode }) => {
  const say = sayOf(context, "codes")
  return (
    <ConfirmPage
      context={context}
      cancel={say("keepIt")}
      title={say("disable.code.title")}
      text={say("disable.code.text", { hint: code.hint })}
      submit={say("disable.code.submit")}
      action={`/admin/codes/${batch.id}/codes/${code.id}/disable`}
      back={`/admin/codes/${batch.id}`}
    />
  )
}
