/**
 * Tests of channels on their pages: of one model, and what the last ones came to; and of all channels, with how far that is.
 */
import { Effect } from "effect"
import type { AdminChannel, AdminChannelTest } from "../../../../channels/AdminChannel.ts"
import { type ChannelTestRun, ChannelTestRuns } from "../../../../gateway/ChannelTestRuns.ts"
import { type FormState, part, redirect } from "../../Answer.ts"
import { adminForm, adminPage, pageReload, routes } from "../../ConsoleRoute.ts"
import { ButtonForm, InputForm } from "../../kit/Forms.tsx"
import { Badge, Card, Meter, Moment, Panel, Small } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { saidFailure } from "./ChannelHealth.tsx"
import type { TestResult } from "./ChannelTexts.ts"

interface TestProps {
  readonly context: UserContext
  readonly test: AdminChannelTest
}

/** What a test came to, and when. */
export const TestFact = ({ test: { latencyMs, reason, status, testedAt }, context }: TestProps) => {
  const say = sayOf(context, "channels")
  return (
    <>
      {reason === null
        ? <Badge tone="green">{say("tested.ok", { seconds: context.formats.seconds(latencyMs) })}</Badge>
        : <Badge tone="red">{say("tested.failed")}</Badge>}
      <Small>
        {reason === null ? null : `${saidFailure(context, { reason, status })} `}
        <Moment context={context} at={testedAt} />
      </Small>
    </>
  )
}

/** The newest test of a channel; undefined: there was none. */
export const newestTest = ({ tests }: AdminChannel): AdminChannelTest | undefined =>
  tests.reduce<AdminChannelTest | undefined>(
    (newest, test) => newest === undefined || test.testedAt > newest.testedAt ? test : newest,
    undefined
  )

/** Tests shown on a channel's page, the newest; the others are known to the API. */
const SHOWN_MAX = 10

export const TestPanel = (
  { channel, tested, context }: {
    readonly context: UserContext
    readonly channel: AdminChannel
    readonly tested: TestResult | undefined
  }
) => {
  const say = sayOf(context, "channels")
  const options = Object.keys(channel.models).toSorted().map((id) => [id, id] as const)
  const state: FormState = {
    values: new URLSearchParams(tested === undefined || tested === "unknown_model" ? {} : { model: tested.model }),
    problems: {}
  }
  const newest = channel.tests.toSorted((a, b) => b.testedAt.getTime() - a.testedAt.getTime()).slice(0, SHOWN_MAX)
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
      {newest.length === 0 ? null : (
        <ul class="list-unstyled mt-3 mb-0">
          {newest.map((test) => (
            <li key={test.model} class="mb-2">
              <code class="break-anywhere">{test.model}</code> <TestFact context={context} test={test} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

const RUN_ID = "channel-tests"

/** How far the test of all channels is; asks for itself while it is under way. */
export const RunCard = (
  { run, context }: { readonly context: UserContext; readonly run: ChannelTestRun }
) => {
  const say = sayOf(context, "channels")
  const live = run.endedAt === null
    ? { "hx-get": "/admin/channels/tests", "hx-trigger": "every 2s", "hx-swap": "outerHTML" }
    : {}
  const figures = { done: run.done, total: run.total, failed: run.failed }
  return (
    <div id={RUN_ID} class="mb-3" role="status" {...live}>
      <Card>
        <div class="card-body">
          {run.endedAt === null ? say("run.going", figures) : (
            <>
              {say("run.over", figures)} <Moment context={context} at={run.endedAt} />
            </>
          )}
          {run.endedAt !== null || run.total === 0 ? null : (
            <div class="mt-2">
              <Meter
                label={say("run.going", figures)}
                used={BigInt(run.done)}
                held={0n}
                limit={BigInt(run.total)}
              />
            </div>
          )}
        </div>
      </Card>
    </div>
  )
}

/** The button that tests all, and what that means. */
export const TestAllForm = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "channels")
  return (
    <ButtonForm
      context={context}
      action="/admin/channels/tests"
      confirm={say("run.confirm")}
      button={<span title={say("run.confirm")}>{say("run.start")}</span>}
    />
  )
}

const startForm = adminForm("/admin/channels/tests", {
  run: () =>
    Effect.gen(function*() {
      yield* (yield* ChannelTestRuns).start
      return redirect("/admin/channels")
    })
})

/** Replaces the card while the run goes on; afterwards reloads the page, whose rows have changed. */
const progress = adminPage("/admin/channels/tests", (context) =>
  Effect.gen(function*() {
    const run = yield* (yield* ChannelTestRuns).latest
    if (!context.partial) return redirect("/admin/channels")
    return run === undefined || run.endedAt !== null ? pageReload : part(<RunCard context={context} run={run} />)
  }))

export const ChannelTestsRoutes = routes(startForm, progress)
