/**
 * `/keys`: a user's API keys. A new key is in the answer of the form that made it, once, and nowhere else.
 */
import { Effect, Layer, Redacted } from "effect"
import { Catalog, type Model } from "../../../../catalog/Catalog.ts"
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { servedModels } from "../../../ServedModels.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { readKeyForm } from "./KeyForm.ts"
import { KeysView, RevokeKeyView } from "./KeysView.tsx"
import { CreatedKeyView, NewKeyView } from "./NewKeyView.tsx"

const keysPage = userPage("/keys", (context) =>
  Effect.gen(function*() {
    const keys = yield* (yield* ApiKeys).list(context.user.id)
    return page(sayOf(context, "keys")("title"), KeysView({ context, keys }))
  }))

const idsOf = (models: ReadonlyArray<Model>): ReadonlyArray<string> => models.map(({ id }) => id)

const servedIds = Effect.map(servedModels, idsOf)

/** A model that was chosen while a channel served it is still one that a key may allow. */
const enabledIds = Effect.flatMap(Catalog, ({ list }) => Effect.map(list, idsOf))

const showNewKey = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const served = yield* servedIds
    const chosen = state.values.getAll("models")
    const modelIds = (yield* enabledIds).filter((id) => served.includes(id) || chosen.includes(id))
    return page(sayOf(context, "keys")("new"), NewKeyView({ context, state, modelIds }))
  })

const newKeyPage = userPage("/keys/new", (context) => showNewKey(context, emptyForm))

const createForm = userForm("/keys", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const form = readKeyForm(context, fields, yield* enabledIds)
      if ("problems" in form) return yield* refuse(form.problems)
      const served = yield* servedIds
      const { allowedModels } = form.key
      const created = yield* (yield* ApiKeys).create(form.key)
      const view = CreatedKeyView({
        context,
        name: form.key.name,
        key: Redacted.value(created.key),
        address: (yield* PublicAddress).url(),
        modelId: served.find((id) => allowedModels?.includes(id) ?? true)
      })
      return page(sayOf(context, "keys")("created.title"), view)
    }).pipe(
      Effect.catchTags({
        ApiKeyRefused: ({ reason }) => {
          const say = sayOf(context, "keys")
          const problems = {
            name: { name: say("name.problem") },
            expiry: { expiry: say("problem.day") },
            spend_limit: { spend_limit: say("limit.problem") },
            models: { models: say("models.problem") }
          }
          return Effect.fail(refuse(problems[reason]))
        },
        TooManyKeys: ({ keysMax }) => Effect.fail(refuse({ form: sayOf(context, "keys")("many", { count: keysMax }) })),
        // Users are never deleted.
        UserNotFound: Effect.die
      })
    ),
  again: (context, fields, problems) => showNewKey(context, { values: fields, problems })
})

const revokePage = userPage("/keys/:id/revoke", (context) =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ApiKeyId)
    const key = (yield* (yield* ApiKeys).list(context.user.id)).find((listed) => listed.id === id)
    if (key === undefined) return yield* new PageNotFound()
    if (key.revokedAt !== null) return redirect("/keys")
    return page(sayOf(context, "keys")("revoke.title"), RevokeKeyView({ context, key }))
  }))

const revokeForm = userForm("/keys/:id/revoke", {
  run: (context) =>
    Effect.gen(function*() {
      yield* (yield* ApiKeys).revokeOwn(context.user.id, yield* pathId("id", ApiKeyId))
      return redirect("/keys?done=revoked")
    }).pipe(Effect.catchTag("ApiKeyNotFound", () => Effect.fail(new PageNotFound())))
})

export const KeysRoutes = Layer.mergeAll(keysPage, newKeyPage, createForm, revokePage, revokeForm)
