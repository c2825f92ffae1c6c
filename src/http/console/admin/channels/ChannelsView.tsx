/**
 * The list of channels, and the question before one is disabled.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { PostForm } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { ClampedCard } from "../usage/ClampedCard.tsx"
import { DoneNotice, HealthBadge, StateBadge } from "./ChannelParts.tsx"
import { channelsText } from "./ChannelsText.ts"

const NewLink = ({ visit }: { readonly visit: UserVisit }) => (
  <a class="btn btn-primary" href="/admin/channels/new">
    <Icon name="plus" />
    {sayOf(visit, channelsText)("new")}
  </a>
)

interface ChannelsProps {
  readonly visit: UserVisit
  readonly channels: ReadonlyArray<AdminChannel>
}

const ChannelsTable = ({ channels, visit }: ChannelsProps) => {
  const say = sayOf(visit, channelsText)
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("channel") },
        { title: say("state") },
        { title: say("health"), wide: true },
        { title: say("priority"), number: true, wide: true },
        { title: say("weight"), number: true, wide: true },
        { title: say("models"), number: true, wide: true }
      ]}
      rows={channels.map((channel) => [
        <>
          <a class="break-anywhere" href={`/admin/channels/${channel.id}`}>{channel.name}</a>
          <div class="text-secondary break-anywhere">{channel.baseUrl}</div>
        </>,
        <StateBadge visit={visit} channel={channel} />,
        <HealthBadge visit={visit} channel={channel} />,
        visit.formats.count(channel.priority),
        visit.formats.count(channel.weight),
        visit.formats.count(Object.keys(channel.models).length)
      ])}
    />
  )
}

export const ChannelsView = (
  { channels, clamped, visit }: ChannelsProps & { readonly clamped: ClampedReport | undefined }
) => {
  const say = sayOf(visit, channelsText)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        {channels.length === 0 ? undefined : <NewLink visit={visit} />}
      </PageHeading>
      <DoneNotice visit={visit} />
      <ClampedCard visit={visit} report={clamped} />
      <Card>
        {channels.length === 0
          ? (
            <Nothing
              icon="channel"
              title={say("empty")}
              text={say("empty.text")}
              action={<NewLink visit={visit} />}
            />
          )
          : <ChannelsTable visit={visit} channels={channels} />}
      </Card>
    </>
  )
}

/** Asked on a page of its own, so that nothing is disabled by a slip where no script runs either. */
export const DisableChannelView = (
  { channel, visit }: { readonly visit: UserVisit; readonly channel: AdminChannel }
) => {
  const say = sayOf(visit, channelsText)
  return (
    <>
      <PageHeading title={say("disable.title")} />
      <Card>
        <div class="card-body">
          <p class="break-anywhere">{say("disable.text", { name: channel.name })}</p>
          <PostForm visit={visit} action={`/admin/channels/${channel.id}/disable`} class="btn-list">
            <button type="submit" class="btn btn-danger">{say("disable.submit")}</button>
            <a class="btn" href={`/admin/channels/${channel.id}`}>{say("disable.cancel")}</a>
          </PostForm>
        </div>
      </Card>
    </>
  )
}
