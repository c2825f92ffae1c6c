/**
 * `/admin/channels`: the upstreams. What is typed is kept when it is refused, except for the key, which no page ever shows.
 */
import { Effect } from "effect"
import { type AdminChannel, ChannelAdmin } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelRefused } from "../../../../channels/ChannelError.ts"
import { type ChannelTerms, defaultChannelTerms } from "../../../../domain/ChannelTerms.ts"
import { ChannelId } from "../../../../domain/Ids.ts"
import { ChannelTest } from "../../../../gateway/ChannelTest.ts"
import type { MasterKeyInvalid } from "../../../../platform/SecretBox.ts"
import { emptyForm, type FormState, notFound, page, redirect, refuse, refusing } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { changedMeanwhile, editOf, revisionIn, switchForms } from "../RowForms.tsx"
import { readClamped } from "../usage/Channels.tsx"
import { type ChannelFormInput, formOf, problemTexts, readChannelForm, shownFields } from "./ChannelForm.ts"
import { ChannelsView } from "./ChannelsView.tsx"
import type { TestResult } from "./ChannelTestText.ts"
import { ChannelView, NewChannelView } from "./ChannelView.tsx"

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

/** The form's input, when its lines can be read. */
const readForm = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams, kept: ChannelTerms) {
  const form = readChannelForm(context, fields, { kept, known: yield* (yield* ChannelAdmin).models })
  return form.problems.length + form.found.length > 0 ? yield* refuse(problemTexts(context, form, form.found)) : form
})

/** The messages for an input that was refused. */
const inputRefusals = (context: UserContext, form: ChannelFormInput) => ({
  ChannelRefused: ({ problems }: ChannelRefused) => Effect.fail(refuse(problemTexts(context, form, problems))),
  MasterKeyInvalid: (error: MasterKeyInvalid) =>
    Effect.andThen(
      Effect.logError("a channel's key was not sealed", error),
      Effect.fail(refuse({ form: sayOf(context, "channels")("master") }))
    )
})

const createForm = adminForm("/admin/channels", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const form = yield* readForm(context, fields, defaultChannelTerms)
      const id = yield* (yield* ChannelAdmin).create(actorOf(context), form.input).pipe(
        Effect.catchTags(inputRefusals(context, form))
      )
      return redirect(`/admin/channels/${id}?done=created`)
    }),
  again: (context, { problems, values }) => showNew(context, { values: shownFields(values), problems })
})

const channelOf = Effect.gen(function*() {
  return yield* (yield* ChannelAdmin).get(yield* pathId("id", ChannelId))
}).pipe(Effect.catchTag("ChannelNotFound", notFound))

interface Shown extends Partial<FormState> {
  readonly tested?: TestResult
}

const showChannel = (context: UserContext, { problems, tested, values }: Shown = {}) =>
  Effect.gen(function*() {
    const channel = yield* channelOf
    const known = yield* (yield* ChannelAdmin).models
    const edit = editOf(channel, formOf(channel), { problems, values: values && shownFields(values) })
    return page(channel.name, ChannelView({ context, channel, known, tested, ...edit }))
  })

const channelPage = adminPage("/admin/channels/:id", (context) => showChannel(context))

/** The messages for the errors that every change of a channel may have. */
const refusals = (context: UserContext) => ({
  ChannelNotFound: notFound,
  ChannelConfigManaged: refusing({ form: sayOf(context, "channels")("declared.text") }, 409)
})

const editForm = adminForm("/admin/channels/:id", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const channel = yield* channelOf
      const { id } = channel
      const form = yield* readForm(context, fields, channel)
      const change = { id, revision: revisionIn(fields), input: form.input }
      yield* (yield* ChannelAdmin).edit(actorOf(context), change).pipe(Effect.catchTags(inputRefusals(context, form)))
      return redirect(`/admin/channels/${id}?done=changed`)
    }).pipe(Effect.catchTags({ ...refusals(context), ChangedMeanwhile: changedMeanwhile(context) })),
  again: showChannel
})

const turn = switchForms({
  find: () => channelOf,
  hrefOf: ({ id }: AdminChannel, page, done) =>
    `/admin/channels/${id}${page === "disable" ? "/disable" : done === undefined ? "" : `?done=${done}`}`,
  show: (context, problems) => showChannel(context, { problems }),
  say: (context) => sayOf(context, "channels"),
  textOf: (context, { name }) => sayOf(context, "channels")("disable.text", { name }),
  setEnabled: (context, { enabled, row: { id } }) =>
    Effect.flatMap(ChannelAdmin, (admin) => admin[enabled ? "enable" : "disable"](actorOf(context), id)).pipe(
      Effect.catchTags(refusals(context))
    )
})

const resetForm = adminForm("/admin/channels/:id/hidden-output", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", ChannelId)
      yield* (yield* ChannelAdmin).resetHiddenOutput(actorOf(context), id, fields.get("model") ?? "")
      return redirect(`/admin/channels/${id}?done=reset`)
    }).pipe(Effect.catchTags({ ChannelNotFound: notFound, ChannelModelUnknown: notFound }))
})

const testForm = adminForm("/admin/channels/:id/test", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const tested = yield* (yield* ChannelTest).run(yield* pathId("id", ChannelId), fields.get("model") ?? "").pipe(
        Effect.catchTags({
          ChannelModelUnknown: () => Effect.succeed("unknown_model" as const),
          ChannelNotFound: notFound
        })
      )
      return yield* showChannel(context, { tested })
    })
})

export const ChannelsRoutes = routes(
  channelsPage,
  newPage,
  createForm,
  channelPage,
  editForm,
  adminPage("/admin/channels/:id/disable", turn.ask),
  adminForm("/admin/channels/:id/disable", turn.disable),
  adminForm("/admin/channels/:id/enable", turn.enable),
  resetForm,
  testForm
)
