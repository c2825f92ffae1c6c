/**
 * `/admin/channels`: the upstreams, how each of them does, and a test of it. What is typed is kept when it is refused, except for the key,
 * which no page ever shows.
 */
import { Effect } from "effect"
import { type AdminChannel, ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelRefused } from "../../../../channels/ChannelError.ts"
import { type ChannelFormInput, linesOf, readChannelForm, toChannelForm } from "../../../../channels/ChannelForm.ts"
import { CHANNEL_KEY_LENGTH_MAX, CHANNEL_NAME_LENGTH_MAX } from "../../../../channels/ChannelInput.ts"
import { OUTBOUND_URL_LENGTH_MAX } from "../../../../config/OutboundUrl.ts"
import { type ChannelSettings, channelSettings } from "../../../../domain/ChannelTerms.ts"
import { defaultsOf } from "../../../../domain/Model.ts"
import { ChannelId } from "../../../../domain/Ids.ts"
import { ChannelTest } from "../../../../gateway/ChannelTest.ts"
import type { MasterKeyInvalid } from "../../../../platform/SecretBox.ts"
import { type FormState, orNotFound, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { askPage, ButtonForm, EditPage, InputForm } from "../../kit/Forms.tsx"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { listPage } from "../../kit/List.tsx"
import {
  Badge,
  Done,
  type Fact,
  Facts,
  Moment,
  NewLink,
  Notice,
  Panel,
  RowBadges,
  type Tone
} from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { type Edited, rowPages, rowPaths } from "../RowForms.tsx"
import { ClampedCard, readClamped } from "../usage/Channels.tsx"
import { channelTermsOf, problemTexts, shownState, type TestResult, testText } from "./ChannelTexts.ts"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
}

const ChannelBadges = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <span class="badges-list">
      {channel.disabledAt === null ? <Badge tone="green">{say("state.enabled")}</Badge> : null}
      <RowBadges context={context} row={channel} />
      {channel.hasKey ? null : <Badge tone="red">{say("state.noKey")}</Badge>}
    </span>
  )
}

const HealthBadge = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const known: Record<AdminChannel["health"], readonly [tone: Tone, text: string, title: string]> = {
    closed: ["green", say("health.closed"), say("health.closed.title")],
    open: ["red", say("health.open"), say("health.open.title")],
    half_open: ["yellow", say("health.half"), say("health.half.title")]
  }
  const [tone, text, title] = known[channel.health]
  return (
    <span title={title}>
      <Badge tone={tone}>{text}</Badge>
    </span>
  )
}

interface FieldsProps {
  readonly context: PageContext
  readonly state: FormState
  /** Ids of all models. */
  readonly known: ReadonlyArray<string>
  /** Undefined: it is to be made. */
  readonly channel?: AdminChannel
}

const ROWS_MIN = 6
const ROWS_MAX = 20

const keyHint = ({ channel, context }: FieldsProps): string => {
  const say = sayOf(context, "channels")
  if (channel === undefined) return say("key.hint")
  return channel.hasKey ? `${say("key.hint")} ${say("key.hint.keep")}` : say("key.unreadable")
}

/** What may stand on the lines of models, and a tick for all of it. */
const KnownModels = ({ known, state, context }: FieldsProps) => {
  const say = sayOf(context, "channels")
  return known.length === 0 ? null : (
    <>
      <Inputs state={state} inputs={[{ is: "tick", name: "all_models", label: say("models.all") }]} />
      <details class="mb-3">
        <summary class="text-secondary">{say("models.known", { count: known.length })}</summary>
        <p class="mt-2 mb-0">{known.map((id) => <code key={id} class="break-anywhere me-2">{id}</code>)}</p>
      </details>
    </>
  )
}

const ChannelFields = (props: FieldsProps) => {
  const { channel, state, context } = props
  const say = sayOf(context, "channels")
  const isNew = channel === undefined
  const lines = (state.values.get("models") ?? "").split("\n").length
  const { knownFields, priority, weight, ...terms } = channelTermsOf(context).inputs()
  const text = (name: string, label: string, maxlength: number) => ({ name, label, maxlength, required: true })
  return (
    <>
      <Inputs
        state={state}
        inputs={[
          { ...text("name", say("name"), CHANNEL_NAME_LENGTH_MAX), hint: say("name.hint"), autofocus: isNew },
          {
            ...text("base_url", say("url"), OUTBOUND_URL_LENGTH_MAX),
            hint: say("url.hint"),
            placeholder: "https://api.openai.com/v1"
          },
          {
            ...text("api_key", say("key"), CHANNEL_KEY_LENGTH_MAX),
            is: "secret",
            hint: keyHint(props),
            required: isNew
          },
          [priority, weight],
          {
            is: "code",
            name: "models",
            label: say("models"),
            hint: say("models.hint"),
            rows: Math.min(Math.max(lines + 1, ROWS_MIN), ROWS_MAX)
          }
        ]}
      />
      <KnownModels {...props} />
      <Group title={say("upstream")}>
        <Inputs state={state} inputs={[Object.values(terms), knownFields]} />
      </Group>
    </>
  )
}

const TestPanel = ({ channel, tested, context }: ChannelProps & { readonly tested: TestResult | undefined }) => {
  const say = sayOf(context, "channels")
  const options = Object.keys(channel.models).toSorted().map((id) => [id, id] as const)
  const state: FormState = {
    values: new URLSearchParams(tested === undefined || tested === "unknown_model" ? {} : { model: tested.model }),
    problems: {}
  }
  return (
    <Panel title={say("test")} class="mb-3">
      <p class="text-secondary">{say("test.lead")}</p>
      {options.length === 0
        ? <p class="mb-0">{say("test.none")}</p>
        : (
          <InputForm
            context={context}
            action={`/admin/channels/${channel.id}/test`}
            state={state}
            inputs={[{ is: "select", name: "model", label: say("model"), options }]}
            look="btn-outline-primary"
            submit={say("test.submit")}
          />
        )}
    </Panel>
  )
}

const HealthPanel = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <Panel title={say("state")}>
      <Facts
        facts={[
          [say("health"), <HealthBadge context={context} channel={channel} />],
          [say("key"), channel.hasKey ? say("set") : say("notSet")],
          [say("created"), <Moment context={context} at={channel.createdAt} />],
          [say("updated"), <Moment context={context} at={channel.updatedAt} />]
        ]}
      />
    </Panel>
  )
}

/** What was seen of its models, with a way to forget it. */
const HiddenOutputPanel = ({ channel: { hiddenOutput, id }, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return hiddenOutput.length === 0 ? null : (
    <Panel title={say("hidden")} class="mt-3">
      <p class="text-secondary">{say("hidden.text")}</p>
      {hiddenOutput.map((model) => (
        <div key={model} class="d-flex align-items-center gap-2 mb-2">
          <code class="break-anywhere me-auto">{model}</code>
          <ButtonForm
            context={context}
            action={`/admin/channels/${id}/hidden-output`}
            fields={{ model }}
            look="btn-sm"
            button={
              <>
                <span aria-hidden="true">{say("hidden.reset")}</span>
                <span class="visually-hidden">{say("hidden.reset.label", { model })}</span>
              </>
            }
          />
        </div>
      ))}
    </Panel>
  )
}

/** What a channel is, to be read. */
const channelFacts = (context: UserContext, channel: AdminChannel): ReadonlyArray<Fact> => {
  const say = sayOf(context, "channels")
  const lines = linesOf(channel.models).split("\n")
  return [
    [say("name"), channel.name],
    [say("url"), <code>{channel.baseUrl}</code>],
    ...channelTermsOf(context).facts(channel),
    [
      say("models"),
      lines[0] === "" ? say("models.none") : lines.map((line) => <code key={line} class="d-block">{line}</code>)
    ]
  ]
}

/** What has just been done with it besides a change. */
const News = ({ tested, context }: { readonly context: UserContext; readonly tested: TestResult | undefined }) => {
  const isGood = tested !== "unknown_model" && tested?.reason === null
  return (
    <>
      <Done context={context} texts={{ reset: sayOf(context, "channels")("done.reset") }} />
      {tested === undefined
        ? null
        : <Notice kind={isGood ? "success" : "danger"}>{testText(context, tested)}</Notice>}
    </>
  )
}

const list = Effect.fnUntraced(function*(context: UserContext) {
  const channels = yield* (yield* ChannelAdmin).list
  const say = sayOf(context, "channels")
  const { count } = context.formats
  const create = <NewLink href="/admin/channels/new" text={say("new")} />
  return listPage<AdminChannel>({
    context,
    path: "/admin/channels",
    title: say("title"),
    lead: say("lead"),
    actions: channels.length === 0 ? undefined : create,
    above: <ClampedCard context={context} report={yield* readClamped} />,
    items: channels,
    empty: { icon: "channel", title: say("empty"), text: say("empty.text"), action: create },
    columns: [
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
      { title: say("models"), number: true, wide: true, cell: ({ models }) => count(Object.keys(models).length) }
    ]
  })
})

/** The form's input, when its lines can be read. Terms that were not sent are `kept`'s. */
const readForm = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams, kept: ChannelSettings) {
  const form = readChannelForm(fields, { kept, known: yield* (yield* ChannelAdmin).models })
  return form.repeated.length + form.found.length > 0 ? yield* refuse(problemTexts(context, form, form.found)) : form
})

/** The messages for an input that was refused. */
const refusals = (context: UserContext, form: ChannelFormInput) => ({
  ChannelRefused: ({ problems }: ChannelRefused) => refuse(problemTexts(context, form, problems)),
  MasterKeyInvalid: (error: MasterKeyInvalid) =>
    Effect.andThen(
      Effect.logError("a channel's key was not sealed", error),
      refuse({ form: sayOf(context, "channels")("master") })
    )
})

const create = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const say = sayOf(context, "channels")
    const form = { context, state: shownState(state) }
    return askPage({
      ...form,
      title: say("new"),
      action: "/admin/channels",
      submit: say("create"),
      back: "/admin/channels",
      children: <ChannelFields {...form} known={yield* (yield* ChannelAdmin).models} />
    })
  }),
  run: Effect.fnUntraced(function*(context, fields) {
    const form = yield* readForm(context, fields, defaultsOf(channelSettings.fields))
    const id = yield* (yield* ChannelAdmin).create(actorOf(context), form.input).pipe(
      Effect.catchTags(refusals(context, form))
    )
    return redirect(`/admin/channels/${id}?done=created`)
  })
})

const theChannel = Effect.gen(function*() {
  return yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
})

const showChannel = Effect.fnUntraced(function*(edited: Edited<AdminChannel>, tested?: TestResult) {
  const { row: channel, context } = edited
  const state = shownState(edited.state)
  const known = yield* (yield* ChannelAdmin).models
  return page(
    channel.name,
    <div class="row g-3">
      <div class="col-lg-8">
        <EditPage
          {...edited}
          state={state}
          title={channel.name}
          lead={<ChannelBadges context={context} channel={channel} />}
          facts={channelFacts(context, channel)}
          above={<News context={context} tested={tested} />}
        >
          <ChannelFields context={context} channel={channel} state={state} known={known} />
        </EditPage>
      </div>
      <div class="col-lg-4">
        <TestPanel context={context} channel={channel} tested={tested} />
        <HealthPanel context={context} channel={channel} />
        <HiddenOutputPanel context={context} channel={channel} />
      </div>
    </div>
  )
})

const channel = rowPages({
  at: rowPaths("/admin/channels", ":id"),
  find: () => theChannel,
  paths: ({ id }: AdminChannel) => rowPaths("/admin/channels", id),
  say: (context) => sayOf(context, "channels"),
  formOf: toChannelForm,
  show: (edited) => showChannel(edited),
  disableText: (context, { name }) => sayOf(context, "channels")("disable.text", { name }),
  save: Effect.fnUntraced(function*({ revision, row, context }, fields) {
    const form = yield* readForm(context, fields, row)
    const change = { id: row.id, revision, input: form.input }
    yield* (yield* ChannelAdmin).edit(actorOf(context), change).pipe(Effect.catchTags(refusals(context, form)))
  }),
  setEnabled: ({ row: { id }, context }, enabled) =>
    Effect.flatMap(ChannelAdmin, (admin) => admin[enabled ? "enable" : "disable"](actorOf(context), id))
})

const resetForm = adminForm("/admin/channels/:id/hidden-output", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* ChannelAdmin).resetHiddenOutput(actorOf(context), id, fields.get("model") ?? "")
      return redirect(`/admin/channels/${id}?done=reset`)
    }).pipe(orNotFound)
})

const testForm = adminForm("/admin/channels/:id/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const row = yield* theChannel
      const tested = yield* (yield* ChannelTest).run(row.id, fields.get("model") ?? "").pipe(
        Effect.catchTag("ChannelModelUnknown", () => Effect.succeed("unknown_model" as const))
      )
      return yield* showChannel(channel.edited(context, row), tested)
    }).pipe(orNotFound)
})

export const ChannelsRoutes = routes(
  adminPage("/admin/channels", list),
  adminPage("/admin/channels/new", create.page),
  adminForm("/admin/channels", create.form),
  channel.routes,
  resetForm,
  testForm
)
