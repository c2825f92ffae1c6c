/**
 * `/keys`: a user's API keys. A new key is in the answer of the form that made it, once, and nowhere else.
 */
import { Effect, Redacted } from "effect"
import { Catalog, type Model } from "../../../catalog/Catalog.ts"
import { ApiKeys, type ListedApiKey } from "../../../identity/ApiKeys.ts"
import type { ApiKeyRefused } from "../../../identity/IdentityError.ts"
import { readKeyForm } from "../../../identity/KeyForm.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { servedModels } from "../../ServedModels.ts"
import { emptyForm, type Problems, refuse } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { askPage } from "../kit/Forms.tsx"
import type { InputEntry } from "../kit/Inputs.tsx"
import { curlLine, keyColumns, keyRevocation, newKeyPage } from "../kit/Keys.tsx"
import { amountColumn, dayColumn, listPage } from "../kit/List.tsx"
import { NewLink } from "../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"

/** What is said of each field that is wrong. */
const keyProblems = (context: PageContext, fields: ReadonlyArray<ApiKeyRefused["reason"]>): Problems => {
  const say = sayOf(context, "keys")
  const texts = {
    name: say("name.problem"),
    expiry: say("problem.day"),
    spend_limit: say("limit.problem"),
    models: say("models.problem")
  }
  return Object.fromEntries(fields.map((field) => [field, texts[field]]))
}

/** So many models are named in the list. */
const MODELS_NAMED_MAX = 2

const modelsOf = (context: UserContext, { allowedModels }: ListedApiKey) => {
  const say = sayOf(context, "keys")
  if (allowedModels === null) return say("models.all")
  const rest = allowedModels.length - MODELS_NAMED_MAX
  return (
    <span title={allowedModels.join("\n")}>
      {allowedModels.slice(0, MODELS_NAMED_MAX).map((id) => [<code class="break-anywhere">{id}</code>, " "])}
      {rest > 0 ? say("models.more", { count: rest }) : null}
    </span>
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const keys = yield* (yield* ApiKeys).list(context.user.id)
  const say = sayOf(context, "keys")
  const { usd } = context.formats
  const columns = keyColumns<ListedApiKey>(context, "/keys")
  const newLink = <NewLink href="/keys/new" text={say("new")} />
  const never = say("never")
  const limitText = ({ spendLimitMicros }: ListedApiKey) =>
    spendLimitMicros === null ? say("limit.none") : usd(spendLimitMicros)
  return listPage<ListedApiKey>({
    context,
    title: say("title"),
    lead: say("lead"),
    actions: keys.length === 0 ? undefined : newLink,
    done: { revoked: say("done.revoked") },
    path: "/keys",
    columns: [
      columns.name,
      columns.state,
      { ...amountColumn(say("limit"), limitText), wide: true },
      { title: say("models"), wide: true, cell: (key) => modelsOf(context, key) },
      dayColumn(context, say("lastUsed"), ({ lastUsedAt }) => lastUsedAt, never),
      dayColumn(context, say("expires"), ({ expiresAt }) => expiresAt, never),
      dayColumn(context, say("created"), ({ createdAt }) => createdAt),
      columns.action
    ],
    items: keys,
    empty: { icon: "key", title: say("empty"), text: say("empty.text"), action: newLink }
  })
})

const idsOf = (models: ReadonlyArray<Model>): ReadonlyArray<string> => models.map(({ id }) => id)

const servedIds = Effect.map(servedModels, idsOf)

/** A model that was chosen while a channel served it is still one that a key may allow. */
const enabledIds = Effect.flatMap(Catalog, ({ list }) => Effect.map(list, idsOf))

const showNew = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "keys")
  const served = yield* servedIds
  const chosen = state.values.getAll("models")
  const modelIds = (yield* enabledIds).filter((id) => served.includes(id) || chosen.includes(id))
  const expiryHint = say("expiry.hint", { zone: context.formats.timeZone })
  const options = modelIds.map((id) => [id, id] as const)
  const inputs: ReadonlyArray<InputEntry> = [
    { name: "name", label: say("name"), hint: say("name.hint"), maxlength: 100, required: true, autofocus: true },
    [
      { is: "usd", name: "spend_limit", label: say("limit"), hint: say("limit.hint") },
      { is: "date", name: "expiry", label: say("expiry"), hint: expiryHint }
    ],
    { is: "ticks", name: "models", label: say("models"), hint: say("models.hint"), options }
  ]
  return askPage({
    context,
    state,
    title: say("new"),
    action: "/keys",
    submit: say("submit"),
    back: "/keys",
    inputs: options.length === 0 ? inputs.slice(0, -1) : inputs
  })
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "keys")
  const { formats: { timeZone }, user } = context
  const key = yield* Effect.mapError(
    Effect.fromResult(readKeyForm(fields, { userId: user.id, timeZone, models: yield* enabledIds })),
    (wrong) => refuse(keyProblems(context, wrong))
  )
  const served = yield* servedIds
  const created = yield* (yield* ApiKeys).create(key).pipe(
    Effect.catchTags({
      ApiKeyRefused: ({ reason }) => Effect.fail(refuse(keyProblems(context, [reason]))),
      TooManyKeys: ({ keysMax }) => Effect.fail(refuse({ form: say("many", { count: keysMax }) })),
      // Users are never deleted.
      UserNotFound: Effect.die
    })
  )
  const text = Redacted.value(created.key)
  const address = (yield* PublicAddress).url()
  const model = served.find((id) => key.allowedModels?.includes(id) ?? true)
  const command = model === undefined ? undefined : curlLine(address, { text }, model)
  return newKeyPage({ context, title: say("created.title", { name: key.name }), apiKey: text, command, back: "/keys" })
})

const revocation = keyRevocation({
  path: "/keys",
  title: (context) => sayOf(context, "keys")("revoke.title"),
  list: ({ user }) => ApiKeys.use((keys) => keys.list(user.id)),
  revoke: ({ user }, id) => ApiKeys.use((keys) => keys.revokeOwn(user.id, id))
})

export const KeysRoutes = routes(
  userPage("/keys", show),
  userPage("/keys/new", showNew),
  userForm("/keys", { run: create, again: showNew }),
  userPage("/keys/:id/revoke", revocation.page),
  userForm("/keys/:id/revoke", revocation.form)
)
