/**
 * `/admin/keys`: the keys of the administration's API. A new one is in the answer of the form that made it, once, and nowhere else.
 */
import { Effect, Redacted } from "effect"
import { endOfDay } from "../../../../domain/Days.ts"
import { type AdminKey, AdminKeys } from "../../../../identity/AdminKeys.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { type FormState, refuse } from "../../Answer.ts"
import { adminFormPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { FormAlert, InputForm } from "../../kit/Forms.tsx"
import { keyColumns, keyRevocation, newKeyPage } from "../../kit/Keys.tsx"
import { listPage, timeColumn } from "../../kit/List.tsx"
import { Panel } from "../../kit/Parts.tsx"
import { proveStaff, staffInputs, staffPasskey } from "../../kit/ProofForms.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"

const keysPage = Effect.fnUntraced(function*(
  context: UserContext,
  keys: ReadonlyArray<AdminKey>,
  state: FormState
) {
  const say = sayOf(context, "adminKeys")
  const columns = keyColumns<AdminKey>(context, "/admin/keys")
  const passkey = yield* staffPasskey(context)
  const expiryHint = say("expiry.hint", { zone: context.formats.timeZone })
  return listPage<AdminKey>({
    context,
    path: "/admin/keys",
    title: say("title"),
    lead: say("lead"),
    actions: <a class="btn" href="/api/docs">{say("docs")}</a>,
    done: { revoked: say("done.revoked") },
    above: (
      <Panel title={say("new")} class="mb-3">
        <InputForm
          context={context}
          action="/admin/keys"
          state={state}
          inputs={[
            [
              { name: "name", label: say("name"), hint: say("name.hint"), required: true },
              { is: "date", name: "expiry", label: say("expiry"), hint: expiryHint }
            ],
            [...staffInputs(context)],
            [passkey]
          ]}
          submit={say("submit")}
        >
          <FormAlert state={state} />
        </InputForm>
      </Panel>
    ),
    items: keys,
    empty: { icon: "key", title: say("empty") },
    columns: [
      columns.name,
      columns.state,
      { title: say("administrator"), wide: true, cell: ({ email }) => <span class="break-anywhere">{email}</span> },
      timeColumn(context, say("lastUsed"), ({ lastUsedAt }) => lastUsedAt, say("never")),
      timeColumn(context, say("expiry"), ({ expiresAt }) => expiresAt, say("expires.never")),
      timeColumn(context, say("created"), ({ createdAt }) => createdAt),
      columns.action
    ]
  })
})

const keys = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    return yield* keysPage(context, yield* (yield* AdminKeys).list, state)
  }),
  run: Effect.fnUntraced(function*(context, fields) {
    const say = sayOf(context, "adminKeys")
    const problems = {
      name: { name: say("name.problem") },
      expiry: { expiry: say("problem.day") },
      many: { form: say("many") },
      ended: { form: say("ended") }
    }
    const day = (fields.get("expiry") ?? "").trim()
    const expiresAt = day === "" ? null : endOfDay(day, context.formats.timeZone)
    if (expiresAt === undefined) return yield* refuse(problems.expiry)
    const name = (fields.get("name") ?? "").trim()
    yield* proveStaff(context, fields)
    const actor = { ...actorOf(context), userId: context.user.id }
    const created = yield* (yield* AdminKeys).create(actor, { name, expiresAt }, { sessionId: context.session.id })
      .pipe(
        Effect.catchTag("AdminKeyRefused", ({ reason }) => refuse(problems[reason]))
      )
    const apiKey = Redacted.value(created.key)
    const command = `curl ${(yield* PublicAddress).url()}/api/admin/me -H "Authorization: Bearer ${apiKey}"`
    return newKeyPage({ context, title: say("created.title"), apiKey, command, back: "/admin/keys" })
  })
})

const revocation = keyRevocation({
  path: "/admin/keys",
  title: (context) => sayOf(context, "adminKeys")("revoke.title"),
  find: (_context, id) =>
    Effect.map(Effect.flatMap(AdminKeys, (keys) => keys.list), (keys) => keys.find((key) => key.id === id)),
  revoke: (context, id) => AdminKeys.use((keys) => keys.revoke(actorOf(context), id))
})

export const AdminKeysRoutes = routes(
  adminFormPage("/admin/keys", keys),
  adminFormPage("/admin/keys/:id/revoke", revocation)
)
