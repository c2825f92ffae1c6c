/**
 * The fields of a channel's form, new or there already.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { CHANNEL_KEY_LENGTH_MAX, CHANNEL_NAME_LENGTH_MAX } from "../../../../channels/ChannelInput.ts"
import { OUTBOUND_URL_LENGTH_MAX } from "../../../../config/OutboundUrl.ts"
import { channelTerms, defaultChannelTerms } from "../../../../domain/ChannelTerms.ts"
import type { FormState } from "../../Answer.ts"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { TermInputs } from "../terms/TermParts.tsx"
import { channelLabels } from "./ChannelLabels.ts"

export interface FieldsProps {
  readonly context: UserContext
  readonly state: FormState
  /** Ids of all models. */
  readonly known: ReadonlyArray<string>
  /** Undefined: it is to be made. */
  readonly channel?: AdminChannel
}

const ROWS_MIN = 6
const ROWS_MAX = 20

const text = (name: string, label: string, maxlength: number) => ({ name, label, maxlength, required: true })

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

export const ChannelFields = (props: FieldsProps) => {
  const { channel, state, context } = props
  const say = sayOf(context, "channels")
  const isNew = channel === undefined
  const lines = (state.values.get("models") ?? "").split("\n").length
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
          [
            { is: "integer", name: "priority", label: say("priority"), hint: say("priority.hint"), initial: "0" },
            { is: "integer", name: "weight", label: say("weight"), hint: say("weight.hint"), initial: "1" }
          ],
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
        <TermInputs
          state={state}
          model={channelTerms}
          labels={channelLabels(context)}
          initial={defaultChannelTerms}
        />
      </Group>
    </>
  )
}
