/**
 * One batch: what it gives, its codes by their last characters, who has redeemed them, and the questions before one is disabled.
 */
import type { Redemption, RedemptionBatch, RedemptionCode } from "../../../../redemption/RedemptionBatch.ts"
import type { FormState } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { giftName, ListPager, StateBadge, usesText } from "./CodeParts.tsx"
import { codesText } from "./CodesText.ts"

interface BatchProps {
  readonly visit: UserVisit
  readonly batch: RedemptionBatch
}

/** A page of a list, and whether there are older rows. */
export interface PageOfRows<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly hasOlder: boolean
}

/** The last characters of a code, as it is spoken of. */
const Hint = ({ hint }: { readonly hint: string }) => <code class="nowrap">…{hint}</code>

const DoneNotice = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, codesText)
  const texts = new Map([
    ["created", say("done.created")],
    ["disabled", say("done.disabled")],
    ["enabled", say("done.enabled")],
    ["code", say("done.code")]
  ])
  const text = visit.isForm ? undefined : texts.get(visit.query.get("done") ?? "")
  return text === undefined ? null : <Notice kind="success">{text}</Notice>
}

const Actions = ({ batch, visit }: BatchProps) => {
  const say = sayOf(visit, codesText)
  return batch.disabledAt === null
    ? <a class="btn" href={`/admin/codes/${batch.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm visit={visit} action={`/admin/codes/${batch.id}/enable`}>
        <input type="hidden" name="revision" value={batch.revision.toString()} />
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const Facts = ({ batch, visit }: BatchProps) => {
  const say = sayOf(visit, codesText)
  const made = { time: visit.formats.time(batch.createdAt), who: batch.createdBy ?? say("cli") }
  return (
    <dl class="facts mb-0">
      <dt>{say("state")}</dt>
      <dd>
        <StateBadge visit={visit} state={batch.state} />
      </dd>
      <dt>{say("gives")}</dt>
      <dd class="break-anywhere">{giftName(visit, batch.gift)}</dd>
      <dt>{say("count")}</dt>
      <dd>{visit.formats.count(batch.codes)}</dd>
      <dt>{say("uses")}</dt>
      <dd>{visit.formats.count(batch.usesMax)}</dd>
      <dt>{say("redeemed")}</dt>
      <dd>{usesText(visit, batch.uses, batch.codes * batch.usesMax)}</dd>
      <dt>{say("expires")}</dt>
      <dd>{batch.expiresAt === null ? say("never") : <Moment visit={visit} at={batch.expiresAt} />}</dd>
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
  { batch, codes, visit }: BatchProps & { readonly codes: ReadonlyArray<RedemptionCode> }
) => {
  const say = sayOf(visit, codesText)
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
        <span class="nowrap">{usesText(visit, code.uses, code.usesMax)}</span>,
        <StateBadge visit={visit} state={code.state} />,
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
  { redemptions, visit }: { readonly visit: UserVisit; readonly redemptions: ReadonlyArray<Redemption> }
) => {
  const say = sayOf(visit, codesText)
  return (
    <DataTable
      caption={say("redemptions")}
      columns={[{ title: say("user") }, { title: say("code") }, { title: say("time"), wide: true }]}
      rows={redemptions.map((redemption) => [
        <a class="break-anywhere" href={`/admin/users/${redemption.userId}`}>{redemption.email}</a>,
        <Hint hint={redemption.hint} />,
        <Moment visit={visit} at={redemption.at} />
      ])}
    />
  )
}

export const BatchView = (
  { batch, codes, redemptions, state, visit }: BatchProps & {
    readonly codes: PageOfRows<RedemptionCode>
    readonly redemptions: PageOfRows<Redemption>
    readonly state: FormState
  }
) => {
  const say = sayOf(visit, codesText)
  const path = `/admin/codes/${batch.id}`
  const lastOf = <Row extends { readonly id: bigint }>({ hasOlder, rows }: PageOfRows<Row>) =>
    hasOlder ? rows.at(-1)?.id : undefined
  return (
    <>
      <PageHeading title={batch.name} lead={<a href="/admin/codes">{visit.say("admin.codes")}</a>}>
        <Actions visit={visit} batch={batch} />
      </PageHeading>
      <FormAlert state={state} />
      <DoneNotice visit={visit} />
      <div class="row g-3">
        <div class="col-lg-5 d-flex flex-column gap-3">
          <Card>
            <div class="card-body">
              <Facts visit={visit} batch={batch} />
            </div>
            <div class="card-footer">
              <PostForm visit={visit} action={`${path}/csv`}>
                <button type="submit" class="btn btn-primary">{say("download")}</button>
              </PostForm>
              <div class="form-hint mt-2">{say("download.hint")}</div>
            </div>
          </Card>
          <Card title={say("redemptions")}>
            {redemptions.rows.length === 0
              ? <Nothing icon="gift" title={say("redemptions.none")} />
              : <RedemptionTable visit={visit} redemptions={redemptions.rows} />}
            <ListPager visit={visit} path={path} name="redeemed_before" older={lastOf(redemptions)} />
          </Card>
        </div>
        <div class="col-lg-7">
          <Card title={say("codes")} actions={<Badge tone="secondary">{visit.formats.count(batch.codes)}</Badge>}>
            <CodeTable visit={visit} batch={batch} codes={codes.rows} />
            <ListPager visit={visit} path={path} name="before" older={lastOf(codes)} />
          </Card>
        </div>
      </div>
    </>
  )
}

export const DisableBatchView = ({ batch, visit }: BatchProps) => {
  const say = sayOf(visit, codesText)
  return (
    <ConfirmPage
      visit={visit}
      cancel={say("keep")}
      title={say("disable.batch.title")}
      text={say("disable.batch.text", { name: batch.name })}
      submit={say("disable.batch.submit")}
      action={`/admin/codes/${batch.id}/disable`}
      back={`/admin/codes/${batch.id}`}
      revision={batch.revision}
    />
  )
}

export const DisableCodeView = ({ batch, code, visit }: BatchProps & { readonly code: RedemptionCode }) => {
  const say = sayOf(visit, codesText)
  return (
    <ConfirmPage
      visit={visit}
      cancel={say("keep")}
      title={say("disable.code.title")}
      text={say("disable.code.text", { hint: code.hint })}
      submit={say("disable.code.submit")}
      action={`/admin/codes/${batch.id}/codes/${code.id}/disable`}
      back={`/admin/codes/${batch.id}`}
    />
  )
}
