/**
 * The keys of a channel on its page: what is held against each, a test of one, and pages that add and remove them. A key is never shown
 * but by its last characters.
 */
import { Effect } from "effect"
import type { AdminChannel, AdminChannelKey } from "../../../../channels/AdminChannel.ts"
import { ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import { keysIn } from "../../../../channels/ChannelForm.ts"
import { ChannelKeyAdmin } from "../../../../channels/ChannelKeyAdmin.ts"
import { CHANNEL_KEYS_MAX } from "../../../../domain/Bounds.ts"
import { ChannelId, ChannelKeyId } from "../../../../domain/Ids.ts"
import { emptyForm, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { askPage, ButtonForm } from "../../kit/Forms.tsx"
import { TableCard } from "../../kit/List.tsx"
import { Badge, Moment, Small } from "../../kit/Parts.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { adminAction } from "../AdminAction.ts"
import { saidFailure } from "./ChannelHealth.tsx"
import { problemTexts } from "./ChannelTexts.ts"

interface KeyProps {
  readonly context: UserContext
  readonly channelKey: AdminChannelKey
}

const KeyState = ({ channelKey: { coolingUntil, isReadable, out }, context }: KeyProps) => {
  const say = sayOf(context, "channels")
  if (!isReadable) return <Badge tone="red">{say("key.unreadable.short")}</Badge>
  if (out !== null) {
    return (
      <>
        <Badge tone="red">{say("key.out")}</Badge>
        <Small>{saidFailure(context, out)} {say("key.out.next", { time: context.formats.time(out.probeAt) })}</Small>
      </>
    )
  }
  if (coolingUntil !== null && coolingUntil > context.now) {
    return (
      <>
        <Badge tone="yellow">{say("key.cooling")}</Badge>
        <Small>{say("key.cooling.until", { time: context.formats.time(coolingUntil) })}</Small>
      </>
    )
  }
  return <Badge tone="green">{say("key.inUse")}</Badge>
}

const balanceText = (context: UserContext, balance: NonNullable<AdminChannelKey["balance"]>): string => {
  const say = sayOf(context, "channels")
  if (balance.amount !== null) return `${balance.amount} ${balance.currency ?? ""}`
  return balance.problem === "unlimited" ? say("balance.unlimited") : say("balance.none")
}

const Balance = ({ channelKey: { balance }, context }: KeyProps) =>
  balance === null ? <span class="text-secondary">–</span> : (
    <>
      <span class="nowrap">{balanceText(context, balance)}</span>
      <Small>
        <Moment context={context} at={balance.at} />
      </Small>
    </>
  )

const KeyActions = (
  { channel, channelKey, context }: KeyProps & { readonly channel: AdminChannel }
) => {
  const say = sayOf(context, "channels")
  const path = `/admin/channels/${channel.id}/keys/${channelKey.id}`
  const named = { key: channelKey.hint }
  return (
    <div class="btn-list justify-content-end">
      {Object.keys(channel.models).length === 0 ? null : (
        <ButtonForm
          context={context}
          action={`${path}/test`}
          look="btn-sm"
          button={
            <>
              <span aria-hidden="true">{say("key.test")}</span>
              <span class="visually-hidden">{say("key.test.label", named)}</span>
            </>
          }
        />
      )}
      {channel.declared || channel.keys.length < 2
        ? null
        : (
          <a class="btn btn-sm btn-ghost-danger" href={`${path}/remove`} aria-label={say("key.remove.label", named)}>
            {say("key.remove")}
          </a>
        )}
    </div>
  )
}

export const KeysCard = ({ channel, context }: { readonly context: UserContext; readonly channel: AdminChannel }) => {
  const say = sayOf(context, "channels")
  const hasBalance = channel.keys.some(({ balance }) => balance !== null)
  return (
    <TableCard<AdminChannelKey>
      class="mt-3"
      title={say("keys")}
      items={channel.keys}
      actions={
        <div class="btn-list">
          {channel.hasKey
            ? (
              <ButtonForm
                context={context}
                action={`/admin/channels/${channel.id}/balance`}
                look="btn-sm"
                button={say("balance.ask")}
              />
            )
            : null}
          {channel.declared
            ? null
            : <a class="btn btn-sm" href={`/admin/channels/${channel.id}/keys`}>{say("keys.add")}</a>}
        </div>
      }
      empty={{ icon: "key", title: say("state.noKey") }}
      columns={[
        { title: say("key"), cell: ({ hint }) => <code>{hint}</code> },
        { title: say("state"), cell: (key) => <KeyState context={context} channelKey={key} /> },
        ...hasBalance
          ? [{
            title: say("balance"),
            cell: (key: AdminChannelKey) => <Balance context={context} channelKey={key} />
          }]
          : [],
        {
          title: say("key.actions"),
          number: true,
          cell: (key) => <KeyActions context={context} channel={channel} channelKey={key} />
        }
      ]}
    >
      <div class="card-footer text-secondary">{say(channel.keys.length > 1 ? "keys.lead" : "keys.one")}</div>
    </TableCard>
  )
}

const theChannel = Effect.gen(function*() {
  return yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
})

const pageOf = ({ id }: { readonly id: ChannelId }): string => `/admin/channels/${id}`

const LINES = 6

const add = pageForm({
  show: Effect.fnUntraced(function*(context, { problems }) {
    const channel = yield* theChannel
    const say = sayOf(context, "channels")
    if (channel.declared) return redirect(pageOf(channel))
    return askPage({
      context,
      state: { ...emptyForm, problems },
      title: say("keys.add.title", { name: channel.name }),
      action: `${pageOf(channel)}/keys`,
      submit: say("keys.add.submit"),
      back: pageOf(channel),
      inputs: [{
        is: "code",
        name: "api_key",
        label: say("keys"),
        hint: say("keys.add.hint", { max: CHANNEL_KEYS_MAX }),
        rows: LINES
      }]
    })
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* ChannelKeyAdmin).addKeys(actorOf(context), id, keysIn(fields))
      return redirect(`/admin/channels/${id}?done=keys-added`)
    }).pipe(
      Effect.catchTags({
        ChannelRefused: ({ problems }) => refuse(problemTexts(context, noLines, problems)),
        ChannelConfigManaged: () => refuse({ form: sayOf(context, "channels")("declared.text") }, 409),
        MasterKeyInvalid: () => refuse({ form: sayOf(context, "channels")("master") })
      })
    )
})

/** The form has no lines of models. */
const noLines = { lines: new Map<string, number>(), repeated: [] }

const remove = adminAction("/admin/channels/:id/keys/:key/remove", {
  texts: "channels",
  find: Effect.gen(function*() {
    const channel = yield* theChannel
    const keyId = yield* pathId("key", ChannelKeyId)
    const key = channel.keys.find(({ id }) => id === keyId)
    return key === undefined ? yield* new PageNotFound() : { channel, key }
  }),
  hrefOf: ({ channel }) => pageOf(channel),
  isPossible: ({ channel }) => !channel.declared && channel.keys.length > 1,
  ask: ({ say, subject: { key } }) => ({
    title: say("key.remove.title", { key: key.hint }),
    text: say("key.remove.text"),
    submit: say("key.remove.submit"),
    danger: true
  }),
  run: ({ say, subject: { channel, key }, context }) =>
    Effect.flatMap(ChannelKeyAdmin, (admin) => admin.removeKey(actorOf(context), channel.id, key.id)).pipe(
      Effect.as("key-removed"),
      Effect.catchTags({
        ChannelKeyNotFound: () => Effect.succeed("key-removed"),
        ChannelKeyNeeded: () => refuse({ form: say("key.needed") }, 409),
        ChannelConfigManaged: () => refuse({ form: say("declared.text") }, 409)
      })
    )
})

export const ChannelKeysRoutes = routes(adminFormPage("/admin/channels/:id/keys", add), remove)
