/**
 * The list of channels, and the question before one is disabled.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import type { ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { List } from "../../kit/List.tsx"
import { NewLink } from "../../kit/NewLink.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { PageHeading } from "../../ui/Parts.tsx"
import { ClampedCard } from "../usage/ClampedCard.tsx"
import { DoneNotice, HealthBadge, StateBadge } from "./ChannelParts.tsx"

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
      <DoneNotice context={context} />
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
          { title: say("state"), cell: (channel) => <StateBadge context={context} channel={channel} /> },
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

export const DisableChannelView = (
  { channel, context }: { readonly context: UserContext; readonly channel: AdminChannel }
) => {
  const say = sayOf(context, "channels")
  return (
    <ConfirmPage
      context={context}
      title={say("disable.title")}
      text={say("disable.text", { name: channel.name })}
      submit={say("disable.submit")}
      cancel={say("keepIt")}
      action={`/admin/channels/${channel.id}/disable`}
      back={`/admin/channels/${channel.id}`}
    />
  )
}
