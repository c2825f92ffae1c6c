/**
 * `/admin/channels`: the upstreams. What is typed is kept when it is refused, except for the key, which no page ever shows.
 */
import { Effect, Layer } from "effect"
import { ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import { type ChannelTerms, defaultChannelTerms } from "../../../../domain/ChannelTerms.ts"
import { ChannelId } from "../../../../domain/Ids.ts"
import { ChannelTest } from "../../../../gateway/ChannelTest.ts"
import type { MasterKeyInvalid } from "../../../../platform/SecretBox.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { readClamped } from "../usage/ClampedCard.tsx"
import { problemTexts, readChannelForm, shownFields } from "./ChannelForm.ts"
import { ChannelsView, DisableChannelView } from "./ChannelsView.tsx"
import { ChannelView, NewChannelView, type TestResult } from "./ChannelView.tsx"

const missing = () => Effect.fail(new PageNotFound())

const channelsPage = adminPage("/admin/channels", (context) =>
  Effect.gen(function*() {
    const channels = yield* (yield* ChannelAdmin).list
    const clamped = yield* readClamped
    return page(sayOf(context, "channels")("title"), ChannelsView({ context, channels, clamped }))
  }))

const showNew = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const known = yield* (yield* ChannelAdmin).models
    return page(sayOf(context, "channels")("new"), NewChannelView({ context, state, known }))
  })

const newPage = adminPage("/admin/channels/new", (context) => showNew(context, emptyForm))

const sealFailed = (context: UserContext) => (error: MasterKeyInvalid) =>
  Effect.andThen(
    Effect.logError("a channel's key was not sealed", error),
    Effect.fail(refuse({ form: sayOf(context, "channels")("master") }))
  )

/** The form's input, when its lines can be read. */
const readForm = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams, kept: ChannelTerms) {
  const form = readChannelForm(context, fields, { kept, known: yield* (yield* ChannelAdmin).models })
  return form.problems.length + form.found.length > 0 ? yield* refuse(problemTexts(context, form, form.found)) : form
})

const createForm = adminForm("/admin/channels", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const form = yield* readForm(context, fields, defaultChannelTerms)
      const id = yield* (yield* ChannelAdmin).create(actorOf(context), form.input).pipe(
        Effect.catchTag("ChannelRefused", ({ problems }) => Effect.fail(refuse(problemTexts(context, form, problems))))
      )
      return redirect(`/admin/channels/${id}?done=created`)
    }).pipe(Effect.catchTag("MasterKeyInvalid", sealFailed(context))),
  again: (context, fields, problems) => showNew(context, { values: shownFields(fields), problems })
})

const showChannel = (
  context: UserContext,
  more: { readonly state?: FormState; readonly tested?: TestResult } = {}
) =>
  Effect.gen(function*() {
    const admin = yield* ChannelAdmin
    const channel = yield* admin.get(yield* pathId("id", ChannelId))
    const state = more.state ?? emptyForm
    const filledIn = state.values.get("revision")
    return page(
      channel.name,
      ChannelView({
        context,
        channel,
        state,
        known: yield* admin.models,
        isStale: filledIn !== null && filledIn !== channel.revision.toString(),
        tested: more.tested
      })
    )
  }).pipe(Effect.catchTag("ChannelNotFound", missing))

const channelPage = adminPage("/admin/channels/:id", (context) => showChannel(context))

const editForm = adminForm("/admin/channels/:id", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      const revision = idOf(fields.get("revision"))
      if (revision === undefined) return yield* new PageNotFound()
      const admin = yield* ChannelAdmin
      const form = yield* readForm(context, fields, yield* admin.get(id))
      yield* admin.edit(actorOf(context), { id, revision, input: form.input }).pipe(
        Effect.catchTag("ChannelRefused", ({ problems }) => Effect.fail(refuse(problemTexts(context, form, problems))))
      )
      return redirect(`/admin/channels/${id}?done=saved`)
    }).pipe(
      Effect.catchTags({
        ChannelNotFound: missing,
        ChannelDeclared: () => Effect.fail(refuse({ form: sayOf(context, "channels")("declared") }, 409)),
        ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(context, "channels")("changed") }, 409)),
        MasterKeyInvalid: sealFailed(context)
      })
    ),
  again: (context, fields, problems) => showChannel(context, { state: { values: shownFields(fields), problems } })
})

const disablePage = adminPage("/admin/channels/:id/disable", (context) =>
  Effect.gen(function*() {
    const channel = yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
    if (channel.declared || channel.disabledAt !== null) return redirect(`/admin/channels/${channel.id}`)
    return page(sayOf(context, "channels")("disable.title"), DisableChannelView({ context, channel }))
  }).pipe(Effect.catchTag("ChannelNotFound", missing)))

const turn = (context: UserContext, how: "disable" | "enable") =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ChannelId)
    yield* (yield* ChannelAdmin)[how](actorOf(context), id)
    return redirect(`/admin/channels/${id}?done=${how}d`)
  }).pipe(
    Effect.catchTags({
      ChannelNotFound: missing,
      ChannelDeclared: () => Effect.fail(refuse({ form: sayOf(context, "channels")("declared") }, 409))
    })
  )

const disableForm = adminForm("/admin/channels/:id/disable", { run: (context) => turn(context, "disable") })

const enableForm = adminForm("/admin/channels/:id/enable", { run: (context) => turn(context, "enable") })

const resetForm = adminForm("/admin/channels/:id/hidden-output", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* ChannelAdmin).resetHiddenOutput(actorOf(context), id, fields.get("model") ?? "")
      return redirect(`/admin/channels/${id}?done=reset`)
    }).pipe(Effect.catchTags({ ChannelNotFound: missing, ChannelModelUnknown: missing }))
})

const testForm = adminForm("/admin/channels/:id/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const tested = yield* (yield* ChannelTest).run(yield* pathId("id", ChannelId), fields.get("model") ?? "").pipe(
        Effect.catchTag("ChannelModelUnknown", () => Effect.succeed("unknown_model" as const))
      )
      return yield* showChannel(context, { tested })
    }).pipe(Effect.catchTag("ChannelNotFound", missing))
})

export const ChannelsRoutes = Layer.mergeAll(
  channelsPage,
  newPage,
  createForm,
  channelPage,
  editForm,
  disablePage,
  disableForm,
  enableForm,
  resetForm,
  testForm
)
