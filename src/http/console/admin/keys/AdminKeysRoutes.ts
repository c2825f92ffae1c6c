/**
 * `/admin/keys`: the keys of the administration's API. A new one is in the answer of the form that made it, once, and nowhere
 * else.
 */
import { Effect, Redacted } from "effect"
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { AdminKeys } from "../../../../identity/AdminKeys.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { emptyForm, type FormState, notFound, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { newKeyPage, revokeKeyPage } from "../../kit/Keys.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { endOfDay, pathId } from "../../Params.ts"
import { AdminKeysView } from "./AdminKeysView.tsx"

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
      const problems = {
        name: { name: say("name.problem") },
        expiry: { expiry: say("problem.day") },
        many: { form: say("many") }
      }
      const day = (fields.get("expiry") ?? "").trim()
      const expiresAt = day === "" ? null : endOfDay(day, context.formats.timeZone)
      if (expiresAt === undefined) return yield* refuse(problems.expiry)
      const name = (fields.get("name") ?? "").trim()
      const actor = { ...actorOf(context), userId: context.user.id }
      const created = yield* (yield* AdminKeys).create(actor, { name, expiresAt }).pipe(
        Effect.catchTag("AdminKeyRefused", ({ reason }) => Effect.fail(refuse(problems[reason])))
      )
      const apiKey = Redacted.value(created.key)
      const command = `curl ${(yield* PublicAddress).url()}/api/admin/me -H "Authorization: Bearer ${apiKey}"`
      return newKeyPage({ context, title: say("created.title"), apiKey, command, back: "/admin/keys" })
    }),
  again: show
})

const revokePage = adminPage("/admin/keys/:id/revoke", (context) =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ApiKeyId)
    const apiKey = (yield* (yield* AdminKeys).list).find((listed) => listed.id === id)
    if (apiKey === undefined) return yield* notFound()
    const title = sayOf(context, "adminKeys")("revoke.title")
    return apiKey.revokedAt === null
      ? revokeKeyPage({ context, title, path: "/admin/keys", apiKey })
      : redirect("/admin/keys")
  }))

const revokeForm = adminForm("/admin/keys/:id/revoke", {
  run: (context) =>
    Effect.gen(function*() {
      yield* (yield* AdminKeys).revoke(actorOf(context), yield* pathId("id", ApiKeyId))
      return redirect("/admin/keys?done=revoked")
    }).pipe(Effect.catchTag("ApiKeyNotFound", notFound))
})

export const AdminKeysRoutes = routes(keysPage, createForm, revokePage, revokeForm)
