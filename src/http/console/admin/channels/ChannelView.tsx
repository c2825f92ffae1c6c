/**
 * One channel: its form, or what the configuration file says of it; how it does; and a test of it.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { channelTerms } from "../../../../domain/ChannelTerms.ts"
import type { FormState } from "../../Answer.ts"
import { ButtonForm, EditPage, FormPage, PostForm } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Done, Facts, Moment, Notice, Panel } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { termFacts } from "../terms/TermParts.tsx"
import { ChannelFields, type FieldsProps } from "./ChannelFields.tsx"
import { linesOf } from "./ChannelForm.ts"
import { channelLabels } from "./ChannelLabels.ts"
import { ChannelBadges, HealthBadge } from "./ChannelParts.tsx"
import { type TestResult, testText } from "./ChannelTestText.ts"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
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
          <PostForm context={context} action={`/admin/channels/${channel.id}/test`}>
            <Inputs state={state} inputs={[{ is: "select", name: "model", label: say("model"), options }]} />
            <button type="submit" class="btn btn-outline-primary">{say("test.submit")}</button>
          </PostForm>
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

const ChannelFacts = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const { count } = context.formats
  const lines = linesOf(channel.models).split("\n")
  return (
    <div class="card-body">
      <Facts
        facts={[
          [say("name"), channel.name],
          [say("url"), <code>{channel.baseUrl}</code>],
          [say("priority"), count(channel.priority)],
          [say("weight"), count(channel.weight)],
          ...termFacts(context, channelTerms, channelLabels(context), channel),
          [
            say("models"),
            lines[0] === "" ? say("models.none") : lines.map((line) => <code key={line} class="d-block">{line}</code>)
          ]
        ]}
      />
    </div>
  )
}

interface ViewProps extends ChannelProps, Required<Pick<FieldsProps, "known" | "state">> {
  readonly revision: string
  readonly tested: TestResult | undefined
}

export const ChannelView = (props: ViewProps) => {
  const { channel, tested, context } = props
  const say = sayOf(context, "channels")
  const path = `/admin/channels/${channel.id}`
  return (
    <div class="row g-3">
      <div class="col-lg-8">
        <EditPage
          {...props}
          title={channel.name}
          lead={<ChannelBadges context={context} channel={channel} />}
          row={channel}
          paths={{ list: "/admin/channels", edit: path, disable: `${path}/disable`, enable: `${path}/enable` }}
          say={say}
          facts={<ChannelFacts {...props} />}
          above={
            <>
              <Done context={context} texts={{ reset: say("done.reset") }} />
              {tested === undefined
                ? null
                : (
                  <Notice kind={tested !== "unknown_model" && tested.reason === null ? "success" : "danger"}>
                    {testText(context, tested)}
                  </Notice>
                )}
            </>
          }
        >
          <ChannelFields {...props} />
        </EditPage>
      </div>
      <div class="col-lg-4">
        <TestPanel {...props} />
        <HealthPanel {...props} />
        <HiddenOutputPanel {...props} />
      </div>
    </div>
  )
}

export const NewChannelView = (props: FieldsProps) => {
  const say = sayOf(props.context, "channels")
  return (
    <FormPage
      {...props}
      title={say("new")}
      action="/admin/channels"
      submit={say("create")}
      back="/admin/channels"
    >
      <ChannelFields {...props} />
    </FormPage>
  )
}
