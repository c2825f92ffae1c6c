/**
 * `/admin/channels`: the upstreams, how each of them does, and a test of it. What is typed is kept when it is refused, except for the key,
 * which no page ever shows.
 */
import { Effect } from "effect"
import type { ComponentChild } from "preact"
import { type AdminChannel, ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelRefused } from "../../../../channels/ChannelError.ts"
import { type ChannelFormInput, linesOf, readChannelForm, toChannelForm } from "../../../../channels/ChannelForm.ts"
import { CHANNEL_NAME_LENGTH_MAX } from "../../../../channels/ChannelInput.ts"
import { ChannelKeyAdmin } from "../../../../channels/ChannelKeyAdmin.ts"
import { OUTBOUND_URL_LENGTH_MAX } from "../../../../config/OutboundUrl.ts"
import { type ChannelSettings, channelSettings } from "../../../../domain/ChannelTerms.ts"
import { defaultsOf } from "../../../../domain/Model.ts"
import { ChannelId, ChannelKeyId } from "../../../../domain/Ids.ts"
import { ChannelTest } from "../../../../gateway/ChannelTest.ts"
import { ChannelTestRuns } from "../../../../gateway/ChannelTestRuns.ts"
import type { MasterKeyInvalid } from "../../../../platform/SecretBox.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { type FormState, orNotFound, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { askPage, EditPage } from "../../kit/Forms.tsx"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { listPage } from "../../kit/List.tsx"
import { Done, type Fact, NewLink, Notice } from "../../kit/Parts.tsx"
import { proveStaff, staffInputs, staffPasskey } from "../../kit/ProofForms.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { type Edited, rowPages, rowPaths } from "../RowForms.tsx"
import { ClampedCard, readClamped } from "../usage/Channels.tsx"
import { ChannelBadges, HealthCell, HealthPanel, HiddenOutputPanel, OutKeysNotice } from "./ChannelHealth.tsx"
import { ChannelKeysRoutes, KeysCard } from "./ChannelKeys.tsx"
import { ChannelTestsRoutes, newestTest, RunCard, TestAllForm, TestFact, TestPanel } from "./ChannelTests.tsx"
import { channelTermsOf, problemTexts, shownState, type TestResult, testText } from "./ChannelTexts.ts"
import { UpstreamModelsPanel, UpstreamModelsRoutes } from "./UpstreamModels.tsx"

interface FieldsProps {
  readonly context: PageContext
  readonly state: FormState
  /** Ids of all models. */
  readonly known: ReadonlyArray<string>
  /** Undefined: it is to be made. */
  readonly channel?: AdminChannel
  /** What proves who sends it, where that may be needed. */
  readonly proof?: ComponentChild
}

const KEY_ROWS = 3
const ROWS_MIN = 6
const ROWS_MAX = 20

const keyHint = ({ channel, context }: FieldsProps): string => {
  const say = sayOf(context, "channels")
  const hint = `${say("key.hint")} ${say("key.hint.many")}`
  if (channel === undefined) return hint
  return channel.hasKey ? `${hint} ${say("key.hint.keep", { count: channel.keys.length })}` : say("key.unreadable")
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
            is: "code",
            name: "api_key",
            label: say("keys"),
            hint: keyHint(props),
            rows: KEY_ROWS,
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
      {props.proof}
    </>
  )
}

/** The password, needed where stored keys would be sent to another server. */
const proofRows = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  return (
    <>
      <Inputs
        state={state}
        inputs={staffInputs(context, { hint: sayOf(context, "channels")("proof.hint"), required: false })}
      />
      {yield* staffPasskey(context)}
    </>
  )
})

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
  const say = sayOf(context, "channels")
  const isGood = tested !== "unknown_model" && tested?.reason === null
  return (
    <>
      <Done
        context={context}
        texts={{
          reset: say("done.reset"),
          "keys-added": say("done.keysAdded"),
          "key-removed": say("done.keyRemoved"),
          models: say("done.models"),
          "models-added": say("done.modelsAdded"),
          balance: say("done.balance"),
          "no-balance": ["warning", say("done.noBalance")]
        }}
      />
      {tested === undefined
        ? null
        : <Notice kind={isGood ? "success" : "danger"}>{testText(context, tested)}</Notice>}
    </>
  )
}

/** Half of the calls of the last day got the first byte of their answer within so many milliseconds, by channel. */
const readFirstBytes = Effect.map(
  Effect.flatMap(ChannelReports, ({ report }) => report),
  ({ channels }) => new Map(channels.map(({ day, id }) => [id, day.firstByteP50Ms]))
)

const list = Effect.fnUntraced(function*(context: UserContext) {
  const channels = yield* (yield* ChannelAdmin).list
  const firstBytes = yield* readFirstBytes
  const run = yield* (yield* ChannelTestRuns).latest
  const say = sayOf(context, "channels")
  const { count } = context.formats
  const create = <NewLink href="/admin/channels/new" text={say("new")} />
  const isRunning = run !== undefined && run.endedAt === null
  const shown = listPage<AdminChannel>({
    context,
    path: "/admin/channels",
    title: say("title"),
    lead: say("lead"),
    actions: channels.length === 0 ? undefined : (
      <div class="btn-list">
        {isRunning ? null : <TestAllForm context={context} />}
        {create}
      </div>
    ),
    above: (
      <>
        <OutKeysNotice context={context} isOverview keys={yield* (yield* ChannelKeyAdmin).outKeys(null)} />
        {run === undefined ? null : <RunCard context={context} run={run} />}
        <ClampedCard context={context} report={yield* readClamped} />
      </>
    ),
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
      { title: say("health"), cell: (channel) => <HealthCell context={context} channel={channel} /> },
      {
        title: say("firstByte"),
        number: true,
        wide: true,
        cell: ({ id }) => {
          const ms = firstBytes.get(id) ?? null
          return ms === null ? <span class="text-secondary">–</span> : context.formats.seconds(ms)
        }
      },
      {
        title: say("tested"),
        wide: true,
        cell: (channel) => {
          const test = newestTest(channel)
          return test === undefined
            ? <span class="text-secondary">{say("never")}</span>
            : <TestFact context={context} test={test} />
        }
      },
      {
        title: say("order"),
        number: true,
        wide: true,
        cell: ({ priority, weight }) => <span class="nowrap">{count(priority)} / {count(weight)}</span>
      },
      { title: say("models"), number: true, wide: true, cell: ({ models }) => count(Object.keys(models).length) }
    ]
  })
  // Without a script the page is asked for again; with one, the card is.
  return isRunning ? { ...shown, refreshSeconds: 3 } : shown
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
  const firstByteMs = (yield* readFirstBytes).get(channel.id) ?? null
  const outKeys = yield* (yield* ChannelKeyAdmin).outKeys(channel.id)
  const proof = channel.declared ? null : yield* proofRows(context, state)
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
          above={
            <>
              <News context={context} tested={tested} />
              <OutKeysNotice context={context} keys={outKeys} />
            </>
          }
        >
          <ChannelFields context={context} channel={channel} state={state} known={known} proof={proof} />
        </EditPage>
        <KeysCard context={context} channel={channel} />
      </div>
      <div class="col-lg-4">
        <TestPanel context={context} channel={channel} tested={tested} />
        <HealthPanel context={context} channel={channel} firstByteMs={firstByteMs} />
        <UpstreamModelsPanel context={context} channel={channel} />
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
    const admin = yield* ChannelAdmin
    const edit = (mayMoveKeys: boolean) =>
      admin.edit(actorOf(context), { id: row.id, revision, input: form.input, mayMoveKeys })
    yield* edit(false).pipe(
      Effect.catchTag("ChannelKeysStay", () => Effect.andThen(proveStaff(context, fields), edit(true))),
      Effect.catchTag("ChannelKeysStay", Effect.die),
      Effect.catchTags(refusals(context, form))
    )
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
      // What a test shows of a key counts.
      return yield* showChannel(channel.edited(context, yield* theChannel), tested)
    }).pipe(orNotFound)
})

const keyTestForm = adminForm("/admin/channels/:id/keys/:key/test", {
  run: (context) =>
    Effect.gen(function*() {
      const row = yield* theChannel
      const keyId = yield* pathId("key", ChannelKeyId)
      const [model] = Object.keys(row.models).toSorted()
      if (model === undefined || !row.keys.some(({ id }) => id === keyId)) return yield* new PageNotFound()
      const tested = yield* (yield* ChannelTest).run(row.id, model, keyId).pipe(
        Effect.catchTag("ChannelModelUnknown", () => Effect.succeed("unknown_model" as const))
      )
      return yield* showChannel(channel.edited(context, yield* theChannel), tested)
    }).pipe(orNotFound)
})

export const ChannelsRoutes = routes(
  adminPage("/admin/channels", list),
  adminPage("/admin/channels/new", create.page),
  adminForm("/admin/channels", create.form),
  channel.routes,
  resetForm,
  testForm,
  keyTestForm,
  ChannelTestsRoutes,
  ChannelKeysRoutes,
  UpstreamModelsRoutes
)
