/**
 * The list of channels, and above it those whose upstreams report more than was thought possible.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { List } from "../../kit/List.tsx"
import { NewLink, PageHeading } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { ClampedCard } from "../usage/Channels.tsx"
import { ChannelBadges, HealthBadge } from "./ChannelParts.tsx"

export const ChannelsView = (
  { channels, clamped, context }: {
    readonly context: UserContext
    readonly channels: ReadonlyArray<AdminChannel>
    readonly clamped: ClampedReport | undefined
  }
) => {
  const say = sayOf(context, "channels")
  const { count } = context.formats
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        {channels.length === 0 ? undefined : <NewLink href="/admin/channels/new" text={say("new")} />}
      </PageHeading>
      <ClampedCard context={context} report={clamped} />
      <List
        context={context}
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
          { title: say("state"), cell: (channel) => <ChannelBadges context={context} channel={channel} /> },
          { title: say("health"), wide: true, cell: (channel) => <HealthBadge context={context} channel={channel} /> },
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
