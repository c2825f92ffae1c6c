/**
 * One channel: its form, or what the configuration file says of it; how it is; and a test of it.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { channelTerms } from "../../../../domain/ChannelTerms.ts"
import type { ChannelTestOutcome } from "../../../../gateway/ChannelTest.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"
import { termValueText } from "../terms/TermForm.ts"
import { ChannelFormCard } from "./ChannelFormView.tsx"
import { channelLabels } from "./ChannelLabels.ts"
import { DoneNotice, HealthBadge, StateBadge } from "./ChannelParts.tsx"

/** What a test of the channel came to; `unknown_model` was not even asked. */
export type TestResult = ChannelTestOutcome | "unknown_model"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
}

/** The sentence about a test's outcome. */
const outcomeText = (context: UserContext, outcome: ChannelTestOutcome): string => {
  const say = sayOf(context, "channels")
  const { model, reason, status } = outcome
  const seconds = context.formats.seconds(outcome.latencyMs)
  if (reason === null) return say("test.ok", { model, seconds })
  const why = {
    no_key: say("test.no_key"),
    key_unreadable: say("test.key_unreadable"),
    forbidden: say("test.forbidden"),
    connect: say("test.connect"),
    timeout: say("test.timeout"),
    broken: say("test.broken"),
    unauthorized: say("test.unauthorized"),
    unpaid: say("test.unpaid"),
    not_found: say("test.not_found"),
    rate_limited: say("test.rate_limited"),
    refused: say("test.refused"),
    upstream_error: say("test.upstream_error"),
    not_chat: say("test.not_chat")
  }[reason]
  return status === null
    ? say("test.failed", { model, seconds, reason: why })
    : say("test.failed.status", { model, seconds, status, reason: why })
}

const Tested = ({ tested, context }: { readonly context: UserContext; readonly tested: TestResult }) =>
  tested === "unknown_model"
    ? <Notice kind="danger">{sayOf(context, "channels")("test.unknown")}</Notice>
    : <Notice kind={tested.reason === null ? "success" : "danger"}>{outcomeText(context, tested)}</Notice>

const TestCard = ({ channel, tested, context }: ChannelProps & { readonly tested: TestResult | undefined }) => {
  const say = sayOf(context, "channels")
  const models = Object.keys(channel.models).toSorted()
  const chosen = tested === undefined || tested === "unknown_model" ? models[0] : tested.model
  return (
    <Card title={say("test")} class="mb-3">
      <div class="card-body">
        {tested === undefined ? null : <Tested context={context} tested={tested} />}
        <p class="text-secondary">{say("test.lead")}</p>
        {models.length === 0
          ? <p class="mb-0">{say("test.none")}</p>
          : (
            <PostForm context={context} action={`/admin/channels/${channel.id}/test`}>
              <div class="mb-3">
                <label class="form-label" for="field-model">{say("model")}</label>
                <select class="form-select" id="field-model" name="model">
                  {models.map((id) => <option key={id} value={id} selected={id === chosen}>{id}</option>)}
                </select>
              </div>
              <button type="submit" class="btn btn-outline-primary">{say("test.submit")}</button>
            </PostForm>
          )}
      </div>
    </Card>
  )
}

/** Disabling asks first; enabling hurts nobody. */
const SwitchButton = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return channel.disabledAt === null
    ? <a class="btn btn-ghost-danger" href={`/admin/channels/${channel.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm context={context} action={`/admin/channels/${channel.id}/enable`}>
        <button type="submit" class="btn btn-primary">{say("enable")}</button>
      </PostForm>
    )
}

const StateCard = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <Card title={say("state")}>
      <div class="card-body">
        <dl class="facts">
          <dt>{say("state")}</dt>
          <dd>
            <StateBadge context={context} channel={channel} />
          </dd>
          <dt>{say("health")}</dt>
          <dd>
            <HealthBadge context={context} channel={channel} />
          </dd>
          <dt>{say("key")}</dt>
          <dd>{channel.hasKey ? say("set") : say("notSet")}</dd>
          <dt>{say("created")}</dt>
          <dd>
            <Moment context={context} at={channel.createdAt} />
          </dd>
          <dt>{say("updated")}</dt>
          <dd>
            <Moment context={context} at={channel.updatedAt} />
          </dd>
        </dl>
        {channel.declared ? null : (
          <div class="mt-3">
            <SwitchButton context={context} channel={channel} />
          </div>
        )}
      </div>
    </Card>
  )
}

/** What was seen of its models, with a way to forget it. */
const HiddenOutputCard = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <Card title={say("hidden")} class="mt-3">
      <div class="card-body">
        <p class="text-secondary">{say("hidden.text")}</p>
        {channel.hiddenOutput.map((model) => (
          <PostForm
            key={model}
            context={context}
            action={`/admin/channels/${channel.id}/hidden-output`}
            class="d-flex align-items-center gap-2 mb-2"
          >
            <input type="hidden" name="model" value={model} />
            <code class="break-anywhere me-auto">{model}</code>
            <button type="submit" class="btn btn-sm" aria-label={say("hidden.reset.label", { model })}>
              {say("hidden.reset")}
            </button>
          </PostForm>
        ))}
      </div>
    </Card>
  )
}

const DeclaredCard = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const labels = channelLabels(context)
  const models = Object.entries(channel.models).toSorted(([a], [b]) => a < b ? -1 : 1)
  return (
    <Card title={say("settings")}>
      <div class="card-body">
        <Notice kind="info">{say("declared")}</Notice>
        <dl class="facts">
          <dt>{say("url")}</dt>
          <dd>
            <code>{channel.baseUrl}</code>
          </dd>
          <dt>{say("priority")}</dt>
          <dd>{context.formats.count(channel.priority)}</dd>
          <dt>{say("weight")}</dt>
          <dd>{context.formats.count(channel.weight)}</dd>
          {channelTerms.names.map((name) => (
            <>
              <dt>{labels[name].label}</dt>
              <dd>
                {termValueText(context, {
                  field: channelTerms.fields[name],
                  value: channel[name],
                  label: labels[name]
                })}
              </dd>
            </>
          ))}
          <dt>{say("models")}</dt>
          <dd>
            {models.length === 0 ? say("models.none") : models.map(([model, upstream]) => (
              <div key={model}>
                <code>{model}</code>
                {model === upstream ? null : (
                  <>
                    {" = "}
                    <code>{upstream}</code>
                  </>
                )}
              </div>
            ))}
          </dd>
        </dl>
      </div>
    </Card>
  )
}

export const ChannelView = (
  { channel, isStale, known, state, tested, context }: ChannelProps & {
    readonly state: FormState
    readonly known: ReadonlyArray<string>
    readonly isStale: boolean
    readonly tested: TestResult | undefined
  }
) => (
  <>
    <PageHeading title={channel.name} lead={<a href="/admin/channels">{sayOf(context, "channels")("title")}</a>} />
    <DoneNotice context={context} />
    <div class="row g-3">
      <div class="col-lg-8">
        {channel.declared
          ? <DeclaredCard context={context} channel={channel} />
          : <ChannelFormCard context={context} state={state} channel={channel} known={known} isStale={isStale} />}
      </div>
      <div class="col-lg-4">
        <TestCard context={context} channel={channel} tested={tested} />
        <StateCard context={context} channel={channel} />
        {channel.hiddenOutput.length === 0 ? null : <HiddenOutputCard context={context} channel={channel} />}
      </div>
    </div>
  </>
)

export const NewChannelView = (
  { known, state, context }: {
    readonly context: UserContext
    readonly state: FormState
    readonly known: ReadonlyArray<string>
  }
) => (
  <>
    <PageHeading title={sayOf(context, "channels")("new")} />
    <ChannelFormCard context={context} state={state} channel={undefined} known={known} isStale={false} />
  </>
)
