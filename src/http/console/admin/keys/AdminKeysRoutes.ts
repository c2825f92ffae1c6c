/**
 * `/admin/keys`: the keys of the administration's API. A new one is in the answer of the form that made it, once, and nowhere
 * else.
 */
import { Effect, Layer, Redacted } from "effect"
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { AdminKeys } from "../../../../identity/AdminKeys.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { endOfDay } from "../../Days.ts"
import { pathId } from "../../PathId.ts"
import { AdminKeysView, CreatedAdminKeyView, RevokeAdminKeyView } from "./AdminKeysView.tsx"

const show = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const keys = yield* (yield* AdminKeys).list
    return page(sayOf(context, "adminKeys")("title"), AdminKeysView({ context, keys, state }))
  })

const keysPage = adminPage("/admin/keys", (context) => show(context, emptyForm))

const createForm = adminForm("/admin/keys", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "adminKeys")
      const day = (fields.get("expiry") ?? "").trim()
      const expiresAt = day === "" ? null : endOfDay(day, context.formats.timeZone)
      if (expiresAt === undefined) return yield* refuse({ expiry: say("problem.day") })
      const name = (fields.get("name") ?? "").trim()
      const actor = { ...actorOf(context), userId: context.user.id }
      const created = yield* (yield* AdminKeys).create(actor, { name, expiresAt }).pipe(
        Effect.catchTag("AdminKeyRefused", ({ reason }) =>
          Effect.fail(refuse(
            reason === "name"
              ? { name: say("name.problem") }
              : reason === "expiry"
              ? { expiry: say("problem.day") }
              : { form: say("many") }
          )))
      )
      const address = (yield* PublicAddress).url()
      return page(say("created.title"), CreatedAdminKeyView({ context, key: Redacted.value(created.key), address }))
    }),
  again: (context, fields, problems) => show(context, { values: fields, problems })
})

const revokePage = adminPage("/admin/keys/:id/revoke", (context) =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ApiKeyId)
    const key = (yield* (yield* AdminKeys).list).find((listed) => listed.id === id)
    if (key === undefined) return yield* new PageNotFound()
    if (key.revokedAt !== null) return redirect("/admin/keys")
    return page(sayOf(context, "adminKeys")("revoke.title"), RevokeAdminKeyView({ context, apiKey: key }))
  }))

const revokeForm = adminForm("/admin/keys/:id/revoke", {
  run: (context) =>
    Effect.gen(function*() {
      yield* (yield* AdminKeys).revoke(actorOf(context), yield* pathId("id", ApiKeyId))
      return redirect("/admin/keys?done=revoked")
    }).pipe(Effect.catchTag("ApiKeyNotFound", () => Effect.fail(new PageNotFound())))
})

export const AdminKeysRoutes = Layer.mergeAll(keysPage, createForm, revokePage, revokeForm)
