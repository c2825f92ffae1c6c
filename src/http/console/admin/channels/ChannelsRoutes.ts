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
import { idOf, pathId } from "../../PathId.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { readClamped } from "../usage/ClampedCard.tsx"
import { problemTexts, readChannelForm, shownFields } from "./ChannelForm.ts"
import { channelsText } from "./ChannelsText.ts"
import { ChannelsView, DisableChannelView } from "./ChannelsView.tsx"
import { ChannelView, NewChannelView, type TestResult } from "./ChannelView.tsx"

const missing = () => Effect.fail(new PageNotFound())

const channelsPage = adminPage("/admin/channels", (visit) =>
  Effect.gen(function*() {
    const channels = yield* (yield* ChannelAdmin).list
    const clamped = yield* readClamped
    return page(sayOf(visit, channelsText)("title"), ChannelsView({ visit, channels, clamped }))
  }))

const showNew = (visit: UserVisit, state: FormState) =>
  Effect.gen(function*() {
    const known = yield* (yield* ChannelAdmin).models
    return page(sayOf(visit, channelsText)("new"), NewChannelView({ visit, state, known }))
  })

const newPage = adminPage("/admin/channels/new", (visit) => showNew(visit, emptyForm))

const sealFailed = (visit: UserVisit) => (error: MasterKeyInvalid) =>
  Effect.andThen(
    Effect.logError("a channel's key was not sealed", error),
    Effect.fail(refuse({ form: sayOf(visit, channelsText)("master") }))
  )

/** The form's input, when its lines can be read. */
const readForm = Effect.fnUntraced(function*(visit: UserVisit, fields: URLSearchParams, kept: ChannelTerms) {
  const form = readChannelForm(visit, fields, { kept, known: yield* (yield* ChannelAdmin).models })
  return form.problems.length + form.found.length > 0 ? yield* refuse(problemTexts(visit, form, form.found)) : form
})

const createForm = adminForm("/admin/channels", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const form = yield* readForm(visit, fields, defaultChannelTerms)
      const id = yield* (yield* ChannelAdmin).create(actorOf(visit), form.input).pipe(
        Effect.catchTag("ChannelRefused", ({ problems }) => Effect.fail(refuse(problemTexts(visit, form, problems))))
      )
      return redirect(`/admin/channels/${id}?done=created`)
    }).pipe(Effect.catchTag("MasterKeyInvalid", sealFailed(visit))),
  again: (visit, fields, problems) => showNew(visit, { values: shownFields(fields), problems })
})

const showChannel = (
  visit: UserVisit,
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
        visit,
        channel,
        state,
        known: yield* admin.models,
        isStale: filledIn !== null && filledIn !== channel.revision.toString(),
        tested: more.tested
      })
    )
  }).pipe(Effect.catchTag("ChannelNotFound", missing))

const channelPage = adminPage("/admin/channels/:id", (visit) => showChannel(visit))

const editForm = adminForm("/admin/channels/:id", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      const revision = idOf(fields.get("revision"))
      if (revision === undefined) return yield* new PageNotFound()
      const admin = yield* ChannelAdmin
      const form = yield* readForm(visit, fields, yield* admin.get(id))
      yield* admin.edit(actorOf(visit), { id, revision, input: form.input }).pipe(
        Effect.catchTag("ChannelRefused", ({ problems }) => Effect.fail(refuse(problemTexts(visit, form, problems))))
      )
      return redirect(`/admin/channels/${id}?done=saved`)
    }).pipe(
      Effect.catchTags({
        ChannelNotFound: missing,
        ChannelDeclared: () => Effect.fail(refuse({ form: sayOf(visit, channelsText)("declared") }, 409)),
        ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(visit, channelsText)("changed") }, 409)),
        MasterKeyInvalid: sealFailed(visit)
      })
    ),
  again: (visit, fields, problems) => showChannel(visit, { state: { values: shownFields(fields), problems } })
})

const disablePage = adminPage("/admin/channels/:id/disable", (visit) =>
  Effect.gen(function*() {
    const channel = yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
    if (channel.declared || channel.disabledAt !== null) return redirect(`/admin/channels/${channel.id}`)
    return page(sayOf(visit, channelsText)("disable.title"), DisableChannelView({ visit, channel }))
  }).pipe(Effect.catchTag("ChannelNotFound", missing)))

const turn = (visit: UserVisit, how: "disable" | "enable") =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ChannelId)
    yield* (yield* ChannelAdmin)[how](actorOf(visit), id)
    return redirect(`/admin/channels/${id}?done=${how}d`)
  }).pipe(
    Effect.catchTags({
      ChannelNotFound: missing,
      ChannelDeclared: () => Effect.fail(refuse({ form: sayOf(visit, channelsText)("declared") }, 409))
    })
  )

const disableForm = adminForm("/admin/channels/:id/disable", { run: (visit) => turn(visit, "disable") })

const enableForm = adminForm("/admin/channels/:id/enable", { run: (visit) => turn(visit, "enable") })

const resetForm = adminForm("/admin/channels/:id/hidden-output", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* ChannelAdmin).resetHiddenOutput(actorOf(visit), id, fields.get("model") ?? "")
      return redirect(`/admin/channels/${id}?done=reset`)
    }).pipe(Effect.catchTags({ ChannelNotFound: missing, ChannelModelUnknown: missing }))
})

const testForm = adminForm("/admin/channels/:id/test", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const tested = yield* (yield* ChannelTest).run(yield* pathId("id", ChannelId), fields.get("model") ?? "").pipe(
        Effect.catchTag("ChannelModelUnknown", () => Effect.succeed("unknown_model" as const))
      )
      return yield* showChannel(visit, { tested })
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
