/**
 * `/keys`: a user's API keys. A new key is in the answer of the form that made it, once, and nowhere else.
 */
import { Effect, Redacted } from "effect"
import { Catalog, type Model } from "../../../../catalog/Catalog.ts"
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { servedModels } from "../../../ServedModels.ts"
import { again, emptyForm, notFound, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { routes, userForm, userPage } from "../../ConsoleRoute.ts"
import { NewKeyPage, RevokeKeyPage } from "../../kit/KeyParts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { curlLine } from "../../ui/CurlLine.ts"
import { keyProblem, readKeyForm } from "./KeyForm.ts"
import { KeysView } from "./KeysView.tsx"
import { NewKeyView } from "./NewKeyView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext) {
  const keys = yield* (yield* ApiKeys).list(context.user.id)
  return page(sayOf(context, "keys")("title"), KeysView({ context, keys }))
})

const idsOf = (models: ReadonlyArray<Model>): ReadonlyArray<string> => models.map(({ id }) => id)

const servedIds = Effect.map(servedModels, idsOf)

/** A model that was chosen while a channel served it is still one that a key may allow. */
const enabledIds = Effect.flatMap(Catalog, ({ list }) => Effect.map(list, idsOf))

const showNew = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const served = yield* servedIds
  const chosen = state.values.getAll("models")
  const modelIds = (yield* enabledIds).filter((id) => served.includes(id) || chosen.includes(id))
  return page(sayOf(context, "keys")("new"), NewKeyView({ context, state, modelIds }))
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "keys")
  const form = readKeyForm(context, fields, yield* enabledIds)
  if ("problems" in form) return yield* refuse(form.problems)
  const served = yield* servedIds
  const { allowedModels, name } = form.key
  const created = yield* (yield* ApiKeys).create(form.key).pipe(
    Effect.catchTags({
      ApiKeyRefused: ({ reason }) => Effect.fail(refuse(keyProblem(context, reason))),
      TooManyKeys: ({ keysMax }) => Effect.fail(refuse({ form: say("many", { count: keysMax }) })),
      // Users are never deleted.
      UserNotFound: Effect.die
    })
  )
  const text = Redacted.value(created.key)
  const address = (yield* PublicAddress).url()
  const model = served.find((id) => allowedModels?.includes(id) ?? true)
  const command = model === undefined ? undefined : curlLine(address, { text }, model)
  const title = say("created.title", { name })
  return page(title, NewKeyPage({ context, title, apiKey: text, command, back: "/keys" }))
})

const askRevoke = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", ApiKeyId)
  const key = (yield* (yield* ApiKeys).list(context.user.id)).find((listed) => listed.id === id)
  if (key === undefined) return yield* new PageNotFound()
  if (key.revokedAt !== null) return redirect("/keys")
  const title = sayOf(context, "keys")("revoke.title")
  return page(title, RevokeKeyPage({ context, title, path: "/keys", apiKey: key }))
})

const revoke = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", ApiKeyId)
  yield* (yield* ApiKeys).revokeOwn(context.user.id, id).pipe(Effect.catchTag("ApiKeyNotFound", notFound))
  return redirect("/keys?done=revoked")
})

export const KeysRoutes = routes(
  userPage("/keys", show),
  userPage("/keys/new", showNew),
  userForm("/keys", { run: create, again: again(showNew) }),
  userPage("/keys/:id/revoke", askRevoke),
  userForm("/keys/:id/revoke", { run: revoke })
)
