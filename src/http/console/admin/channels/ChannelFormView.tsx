/**
 * The form of a channel, new or there already. When somebody else has changed the channel meanwhile, it stands there with what
 * was typed, and beside each field what the channel has now.
 */
import type { ComponentChildren } from "preact"
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { CHANNEL_KEY_LENGTH_MAX, CHANNEL_NAME_LENGTH_MAX } from "../../../../channels/ChannelInput.ts"
import { OUTBOUND_URL_LENGTH_MAX } from "../../../../config/OutboundUrl.ts"
import { channelTerms, defaultChannelTerms } from "../../../../domain/ChannelTerms.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card } from "../../ui/Parts.tsx"
import { TermInput } from "../terms/TermInput.tsx"
import { linesOf } from "./ChannelForm.ts"
import { channelLabels } from "./ChannelLabels.ts"

interface FormProps {
  readonly context: UserContext
  readonly state: FormState
  /** Undefined: it is to be made. */
  readonly channel: AdminChannel | undefined
  /** Ids of all models. */
  readonly known: ReadonlyArray<string>
  /** The channel is another than the one that the form was filled in on. */
  readonly isStale: boolean
}

/** A hint, and below it what the channel has now where that is not what was typed. */
const hintOf = ({ isStale, state, context }: FormProps, name: string, hint: string, now: string | undefined) =>
  isStale && now !== undefined && now !== state.values.get(name)
    ? (
      <>
        {hint}
        <strong class="d-block break-anywhere">{sayOf(context, "channels")("nowIs", { value: now })}</strong>
      </>
    )
    : hint

const Tick = (
  { checked, children, hint, name }: {
    readonly name: string
    readonly checked: boolean
    readonly children: ComponentChildren
    readonly hint?: ComponentChildren
  }
) => (
  <div class="mb-3">
    <label class="form-check mb-0">
      <input
        class="form-check-input"
        type="checkbox"
        name={name}
        value="1"
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `field-${name}-hint`}
      />
      <span class="form-check-label">{children}</span>
    </label>
    {hint === undefined ? null : <div id={`field-${name}-hint`} class="form-hint">{hint}</div>}
  </div>
)

/** What the upstream knows and how it is called. */
const TermInputs = ({ channel, isStale, state, context }: FormProps) => {
  const labels = channelLabels(context)
  const terms = channel ?? defaultChannelTerms
  return (
    <fieldset class="form-group-section">
      <legend>{sayOf(context, "channels")("upstream")}</legend>
      <div class="row gx-3">
        {channelTerms.names.map((name) => (
          <div key={name} class={channelTerms.fields[name].kind.is === "choices" ? "col-12" : "col-sm-6"}>
            <TermInput
              context={context}
              state={state}
              name={channelTerms.keys[name]}
              field={channelTerms.fields[name]}
              label={labels[name]}
              value={terms[name]}
              now={isStale ? terms[name] : undefined}
            />
          </div>
        ))}
      </div>
    </fieldset>
  )
}

const LINES_MIN = 6
const LINES_MAX = 20

const ModelLines = (props: FormProps) => {
  const { channel, isStale, known, state, context } = props
  const say = sayOf(context, "channels")
  const now = linesOf(channel?.models ?? {})
  const value = state.values.get("models") ?? now
  const problem = state.problems["models"]
  const isOther = isStale && now !== value.trim().replaceAll("\r\n", "\n")
  return (
    <>
      <div class="mb-3">
        <label class="form-label" for="field-models">{say("models")}</label>
        <textarea
          id="field-models"
          name="models"
          class={`form-control font-monospace ${problem === undefined ? "" : "is-invalid"}`}
          rows={Math.min(Math.max(value.split("\n").length + 1, LINES_MIN), LINES_MAX)}
          spellcheck={false}
          aria-invalid={problem === undefined ? undefined : "true"}
          aria-describedby={`${problem === undefined ? "" : "field-models-problem "}field-models-hint`}
        >
          {value}
        </textarea>
        {problem === undefined ? null : <div id="field-models-problem" class="invalid-feedback">{problem}</div>}
        <div id="field-models-hint" class="form-hint mt-1">{say("models.hint")}</div>
        {isOther ? <pre class="copyable-text mt-2">{say("nowIs", { value: `\n${now}` })}</pre> : null}
      </div>
      {known.length === 0 ? null : (
        <>
          <Tick name="all_models" checked={state.values.get("all_models") !== null}>{say("models.all")}</Tick>
          <details class="mb-3">
            <summary class="text-secondary">{say("models.known", { count: known.length })}</summary>
            <p class="mt-2 mb-0">
              {known.map((id) => (
                <>
                  <code key={id} class="break-anywhere">{id}</code>
                  {" "}
                </>
              ))}
            </p>
          </details>
        </>
      )}
    </>
  )
}

const Changed = ({ channel, context }: { readonly context: UserContext; readonly channel: AdminChannel }) => {
  const say = sayOf(context, "channels")
  return (
    <Notice kind="warning">
      {say("changed")} <a class="alert-link" href={`/admin/channels/${channel.id}`}>{say("changed.reload")}</a>
    </Notice>
  )
}

const keyHint = ({ channel, context }: FormProps): string => {
  const say = sayOf(context, "channels")
  if (channel === undefined) return say("key.hint")
  return channel.hasKey ? `${say("key.hint")} ${say("key.hint.keep")}` : say("key.unreadable")
}

export const ChannelFormCard = (props: FormProps) => {
  const { channel, isStale, state, context } = props
  const say = sayOf(context, "channels")
  return (
    <Card {...channel === undefined ? {} : { title: say("settings") }}>
      <PostForm
        context={context}
        action={channel === undefined ? "/admin/channels" : `/admin/channels/${channel.id}`}
        class="card-body"
      >
        {channel === undefined ? null : <input type="hidden" name="revision" value={channel.revision.toString()} />}
        {channel !== undefined && isStale ? <Changed context={context} channel={channel} /> : null}
        {isStale && state.problems["form"] === say("changed") ? null : <FormAlert state={state} />}
        <Field
          state={state}
          name="name"
          label={say("name")}
          hint={hintOf(props, "name", say("name.hint"), channel?.name)}
          initial={channel?.name ?? ""}
          autocomplete="off"
          maxlength={CHANNEL_NAME_LENGTH_MAX}
          required
          autofocus={channel === undefined}
        />
        <Field
          state={state}
          name="base_url"
          label={say("url")}
          hint={hintOf(props, "base_url", say("url.hint"), channel?.baseUrl)}
          initial={channel?.baseUrl ?? ""}
          placeholder="https://api.openai.com/v1"
          autocomplete="off"
          maxlength={OUTBOUND_URL_LENGTH_MAX}
          required
        />
        <Field
          state={state}
          name="api_key"
          type="password"
          label={say("key")}
          hint={keyHint(props)}
          autocomplete="new-password"
          maxlength={CHANNEL_KEY_LENGTH_MAX}
          required={channel === undefined}
        />
        <div class="row g-3">
          <div class="col-sm-6">
            <Field
              state={state}
              name="priority"
              label={say("priority")}
              hint={hintOf(props, "priority", say("priority.hint"), channel?.priority.toString())}
              initial={(channel?.priority ?? 0).toString()}
              inputmode="numeric"
              autocomplete="off"
            />
          </div>
          <div class="col-sm-6">
            <Field
              state={state}
              name="weight"
              label={say("weight")}
              hint={hintOf(props, "weight", say("weight.hint"), channel?.weight.toString())}
              initial={(channel?.weight ?? 1).toString()}
              inputmode="numeric"
              autocomplete="off"
            />
          </div>
        </div>
        <ModelLines {...props} />
        <TermInputs {...props} />
        <div class="btn-list">
          <button type="submit" class="btn btn-primary">{channel === undefined ? say("create") : say("save")}</button>
          <a class="btn btn-ghost-secondary" href="/admin/channels">{context.say("action.back")}</a>
        </div>
      </PostForm>
    </Card>
  )
}
