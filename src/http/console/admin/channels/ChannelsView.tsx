/**
 * The list of channels, and the question before one is disabled.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { List } from "../../kit/List.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { ClampedCard } from "../usage/ClampedCard.tsx"
import { DoneNotice, HealthBadge, StateBadge } from "./ChannelParts.tsx"
import { channelsText } from "./ChannelsText.ts"

export const ChannelsView = (
  { channels, clamped, visit }: {
    readonly visit: UserVisit
    readonly channels: ReadonlyArray<AdminChannel>
    readonly clamped: ClampedReport | undefined
  }
) => {
  const say = sayOf(visit, channelsText)
  const { count } = visit.formats
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        {channels.length === 0 ? undefined : <NewLink href="/admin/channels/new" text={say("new")} />}
      </PageHeading>
      <DoneNotice visit={visit} />
      <ClampedCard visit={visit} report={clamped} />
      <List
        visit={visit}
        path="/admin/channels"
        caption={say("title")}
        items={channels}
        empty={{
          icon: "channel",
          title: say("empty"),
          text: say("empty.text"),
          action: <NewLink href="/admin/channels/new" text={say("new")} />
        }}
        columns={[
          {
            title: say("channel"),
            cell: ({ baseUrl, id, name }) => (
              <>
                <a class="break-anywhere" href={`/admin/channels/${id}`}>{name}</a>
                <div class="text-secondary break-anywhere">{baseUrl}</div>
              </>
            )
          },
          { title: say("state"), cell: (channel) => <StateBadge visit={visit} channel={channel} /> },
          { title: say("health"), wide: true, cell: (channel) => <HealthBadge visit={visit} channel={channel} /> },
          { title: say("priority"), number: true, wide: true, cell: ({ priority }) => count(priority) },
          { title: say("weight"), number: true, wide: true, cell: ({ weight }) => count(weight) },
          {
            title: say("models"),
            number: true,
            wide: true,
            cell: ({ models }) => count(Object.keys(models).length)
          }
        ]}
      />
    </>
  )
}

export const DisableChannelView = (
  { channel, visit }: { readonly visit: UserVisit; readonly channel: AdminChannel }
) => {
  const say = sayOf(visit, channelsText)
  return (
    <ConfirmPage
      visit={visit}
      title={say("disable.title")}
      text={say("disable.text", { name: channel.name })}
      submit={say("disable.submit")}
      cancel={say("disable.cancel")}
      action={`/admin/channels/${channel.id}/disable`}
      back={`/admin/channels/${channel.id}`}
    />
  )
}
