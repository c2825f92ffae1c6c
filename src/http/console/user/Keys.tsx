/**
 * `/keys`: a user's API keys with what each has spent. A new key is in the answer of the form that made it, and nowhere else; the same
 * form sent again shows it again, and makes no other.
 */
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { Catalog, type Model } from "../../../catalog/Catalog.ts"
import { sampleModel } from "../../../catalog/ModelSearch.ts"
import { rateNames } from "../../../domain/CallLimits.ts"
import { ApiKeyId } from "../../../domain/Ids.ts"
import type { SpendingApiKey } from "../../../identity/ApiKey.ts"
import { ApiKeys, type ListedApiKey } from "../../../identity/ApiKeys.ts"
import type { ApiKeyRefused, TooManyKeys } from "../../../identity/IdentityError.ts"
import { changeOf, keyFormOf, readKeyForm } from "../../../identity/KeyForm.ts"
import { KeyList, keyOrders, KEYS_MAX } from "../../../identity/KeyList.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { databaseUnavailable } from "../../../postgres/DatabaseUnavailable.ts"
import { Settings } from "../../../settings/Settings.ts"
import { servedModels } from "../../ServedModels.ts"
import { emptyForm, type FormState, orNotFound, PageNotFound, type Problems, redirect, refuse } from "../Answer.ts"
import { pageForm, routes, userForm, userPage } from "../ConsoleRoute.ts"
import { askPage, ButtonForm } from "../kit/Forms.tsx"
import type { InputEntry } from "../kit/Inputs.tsx"
import { keyColumns, keyName, keyRevocation, KeySpent, keyState, newKeyPage, RevokeLink } from "../kit/Keys.tsx"
import { byId, dayColumn, type ItemColumn, type Listed, listedOf, listPage, readListed } from "../kit/List.tsx"
import { NewLink, Panel, Tabs } from "../kit/Parts.tsx"
import { rateInputs } from "../kit/RateLimits.tsx"
import { curlLine } from "../kit/Snippets.ts"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { idOf, oneOf, pathId, searchText } from "../Params.ts"

const PAGE_SIZE = 20

/** Where a problem is said that is not of one input of its name. */
const problemPlaces: { readonly [field in ApiKeyRefused["reason"]]?: string } = {
  revoked: "form",
  rates: rateNames.requestsPerMinute
}

/** What is said of each field that is wrong. */
const keyProblems = (context: PageContext, fields: ReadonlyArray<ApiKeyRefused["reason"]>): Problems => {
  const say = sayOf(context, "keys")
  const texts = {
    name: say("name.problem"),
    expiry: say("problem.day"),
    spend_limit: say("limit.problem"),
    day_limit: say("limit.problem"),
    month_limit: say("limit.problem"),
    rates: sayOf(context, "limits")("rates.problem"),
    networks: say("networks.problem"),
    models: say("models.problem"),
    revoked: say("revoked.problem")
  }
  return Object.fromEntries(fields.map((field) => [problemPlaces[field] ?? field, texts[field]]))
}

const refusals = (context: PageContext) => ({
  ApiKeyRefused: ({ reason }: ApiKeyRefused) => Effect.fail(refuse(keyProblems(context, [reason]))),
  TooManyKeys: ({ keysMax }: TooManyKeys) =>
    Effect.fail(refuse({ form: sayOf(context, "keys")("many", { count: keysMax }) }))
})

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

interface KeyProps {
  readonly context: UserContext
  readonly item: SpendingApiKey
}

const Pausing = ({ context, item }: KeyProps) => {
  const say = sayOf(context, "keys")
  const isPaused = item.pausedAt !== null
  return (
    <ButtonForm
      context={context}
      action={`/keys/${item.id}/${isPaused ? "resume" : "pause"}`}
      look="btn-sm"
      button={
        <>
          {say(isPaused ? "resume" : "pause")}
          <span class="visually-hidden">{` ${keyName(item)}`}</span>
        </>
      }
    />
  )
}

const Actions = ({ context, item }: KeyProps) => {
  const state = keyState(item, context.now)
  if (state === "revoked") return null
  const say = sayOf(context, "keys")
  return (
    <div class="btn-list justify-content-end">
      <a class="btn btn-sm" href={`/keys/${item.id}`} aria-label={say("edit.label", { name: keyName(item) })}>
        {say("edit")}
      </a>
      {state === "expired" ? null : <Pausing context={context} item={item} />}
      <RevokeLink context={context} item={item} path="/keys" />
    </div>
  )
}

const columnsOf = (context: UserContext): ReadonlyArray<ItemColumn<SpendingApiKey>> => {
  const say = sayOf(context, "keys")
  const columns = keyColumns<SpendingApiKey>(context, "/keys", true)
  return [
    columns.name,
    columns.state,
    { title: say("spent"), cell: (item) => <KeySpent context={context} item={item} /> },
    { title: say("models"), wide: true, cell: (key) => modelsOf(context, key) },
    dayColumn(context, say("lastUsed"), ({ lastUsedAt }) => lastUsedAt, say("never")),
    dayColumn(context, say("expires"), ({ expiresAt }) => expiresAt, say("expires.never")),
    { title: say("action"), number: true, cell: (item) => <Actions context={context} item={item} /> }
  ]
}

/** The keys in use have few pages, which follow their order; the others go on by their ids. */
const readKeys = Effect.fnUntraced(function*(context: UserContext, isEnded: boolean) {
  const { isForm, query, user } = context
  const keys = yield* KeyList
  const text = searchText(query, "q")
  const order = oneOf(keyOrders, query.get("sort")) ?? "newest"
  if (isEnded) {
    const listed: Listed<SpendingApiKey> = yield* readListed(
      context,
      { size: PAGE_SIZE },
      (range) => keys.page(user.id, { ...range, text, isEnded })
    )
    return { listed, text, order, cursor: byId }
  }
  const skipped = isForm ? 0 : Math.min(Number(idOf(query.get("from")) ?? 0n), KEYS_MAX)
  const found = yield* keys.live(user.id, { text, order, skipped, limit: PAGE_SIZE + 1 })
  return {
    listed: listedOf(found, PAGE_SIZE),
    text,
    order,
    cursor: { name: "from", of: () => String(skipped + PAGE_SIZE) }
  }
})

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "keys")
  const isEnded = context.query.get("state") === "ended"
  const live = yield* (yield* KeyList).countLive(context.user.id)
  const { cursor, listed, order, text } = yield* readKeys(context, isEnded)
  const newLink = <NewLink href="/keys/new" text={say("new")} />
  const publicUrl = (yield* PublicAddress).url()
  return listPage<SpendingApiKey>({
    context,
    title: say("title"),
    lead: `${say("lead")} ${say("bound", { count: live, max: KEYS_MAX })}`,
    actions: live === 0 && !isEnded ? undefined : newLink,
    done: {
      revoked: say("done.revoked"),
      changed: say("done.changed"),
      paused: say("done.paused"),
      resumed: say("done.resumed")
    },
    path: "/keys",
    kept: isEnded ? { state: "ended" } : {},
    children: (
      <Tabs
        tabs={[
          { href: "/keys", text: say("tab.live"), isShown: !isEnded },
          { href: "/keys?state=ended", text: say("tab.ended"), isShown: isEnded }
        ]}
      />
    ),
    filter: [
      { is: "text", name: "q", label: say("search"), value: text, hint: say("search.hint") },
      ...isEnded ? [] : [{
        is: "choice" as const,
        name: "sort",
        label: say("sort"),
        all: say("sort.newest"),
        value: order === "newest" ? undefined : order,
        options: [["name", say("sort.name")], ["spent", say("sort.spent")], ["used", say("sort.used")]] as const
      }]
    ],
    columns: columnsOf(context),
    items: listed.items,
    hasMore: listed.hasMore,
    cursor,
    order: isEnded ? "newest" : "first",
    none: say("none.found"),
    empty: isEnded
      ? { icon: "key", title: say("ended.none") }
      : { icon: "key", title: say("empty"), text: say("empty.text", { url: `${publicUrl}/v1` }), action: newLink }
  })
})

const idsOf = (models: ReadonlyArray<Model>): ReadonlyArray<string> => models.map(({ id }) => id)

const servedIds = Effect.map(servedModels, idsOf)

/** A model that was chosen while a channel served it is still one that a key may allow. */
const enabledIds = Effect.flatMap(Catalog, ({ list }) => Effect.map(list, idsOf))

/** What is asked of a key; `chosen` are the models that it has already. */
const inputsOf = Effect.fnUntraced(function*(context: UserContext, chosen: ReadonlyArray<string>) {
  const say = sayOf(context, "keys")
  const served = yield* servedIds
  const offered = (yield* enabledIds).filter((id) => served.includes(id) || chosen.includes(id))
  const options = [...new Set([...offered, ...chosen])].map((id) => [id, id] as const)
  const rates = rateInputs(context)
  const expiryHint = say("expiry.hint", { zone: context.formats.timeZone })
  const inputs: ReadonlyArray<InputEntry> = [
    { name: "name", label: say("name"), hint: say("name.hint"), maxlength: 100, required: true, autofocus: true },
    [
      { is: "usd", name: "spend_limit", label: say("limit"), hint: say("limit.hint") },
      {
        is: "select",
        name: "spend_limit_period",
        label: say("period.limit"),
        hint: say("period.hint"),
        initial: "total",
        options: [
          ["total", say("period.total")],
          ["day", say("period.day")],
          ["week", say("period.week")],
          ["month", say("period.month")]
        ]
      }
    ],
    [
      { is: "usd", name: "day_limit", label: say("limit.inDay"), hint: say("limit.besides") },
      { is: "usd", name: "month_limit", label: say("limit.inMonth") }
    ],
    rates.slice(0, -1),
    [...rates.slice(-1), { is: "date", name: "expiry", label: say("expiry"), hint: expiryHint }],
    { name: "networks", label: say("networks"), hint: say("networks.hint") },
    {
      is: "ticks",
      name: "models",
      label: say("models"),
      hint: say("models.hint"),
      options,
      picking: { filter: say("models.filter"), all: say("models.pickAll"), none: say("models.pickNone") }
    }
  ]
  return options.length === 0 ? inputs.slice(0, -1) : inputs
})

const showNew = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const say = sayOf(context, "keys")
  const live = yield* (yield* KeyList).countLive(context.user.id)
  const form = { context, state, title: say("new"), action: "/keys", back: "/keys" }
  return live >= KEYS_MAX
    ? askPage({ ...form, text: say("many", { count: KEYS_MAX }) })
    : askPage({
      ...form,
      lead: say("bound", { count: live, max: KEYS_MAX }),
      submit: say("submit"),
      once: true,
      inputs: yield* inputsOf(context, state.values.getAll("models"))
    })
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "keys")
  const { formats: { timeZone }, session, user } = context
  const terms = yield* Effect.mapError(
    Effect.fromResult(readKeyForm(fields, { timeZone, models: yield* enabledIds })),
    (wrong) => refuse(keyProblems(context, wrong))
  )
  // A form without its word is no other form sent again.
  const word = fields.get("key") || randomUUID()
  const { security } = yield* Effect.mapError((yield* Settings).fresh, databaseUnavailable)
  const created = yield* (yield* ApiKeys).create(
    { userId: user.id, ...terms },
    { form: { secret: session.token, word, perHour: security.keysPerHour } }
  ).pipe(
    // Users are never deleted.
    Effect.catchTags({
      ...refusals(context),
      TooManyNewKeys: ({ perHour }) => refuse({ form: say("hourly", { count: perHour }) }, 429),
      UserNotFound: Effect.die
    })
  )
  const text = Redacted.value(created.key)
  const address = (yield* PublicAddress).url()
  const allowed = (yield* servedModels).filter(({ id }) => terms.allowedModels?.includes(id) ?? true)
  const model = sampleModel(allowed)
  const command = model === undefined ? undefined : curlLine({ publicUrl: address, model }, text)
  return newKeyPage({
    context,
    title: say("created.title", { name: terms.name }),
    apiKey: text,
    command,
    back: "/keys"
  })
})

/** The visitor's key that the address names. */
const theKey = Effect.fnUntraced(function*({ user }: UserContext) {
  const found = yield* (yield* KeyList).find(user.id, yield* pathId("id", ApiKeyId))
  return found ?? (yield* new PageNotFound())
})

const edit = pageForm({
  show: Effect.fnUntraced(function*(context: UserContext, state: FormState) {
    const say = sayOf(context, "keys")
    const key = yield* theKey(context)
    if (key.revokedAt !== null) return redirect("/keys?state=ended")
    const shown = state === emptyForm ? { ...state, values: keyFormOf(key, context.formats.timeZone) } : state
    return askPage({
      context,
      state: shown,
      title: say("edit.title", { name: keyName(key) }),
      lead: <code>{key.hint}</code>,
      submit: context.say("action.save"),
      action: `/keys/${key.id}`,
      back: "/keys",
      above: (
        <Panel class="mb-3" title={say("spent")}>
          <KeySpent context={context} item={key} />
          <div class="btn-list mt-3">
            {keyState(key, context.now) === "expired" ? null : <Pausing context={context} item={key} />}
            <RevokeLink context={context} item={key} path="/keys" />
          </div>
        </Panel>
      ),
      inputs: yield* inputsOf(context, [...key.allowedModels ?? [], ...shown.values.getAll("models")])
    })
  }),
  run: Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
    const current = yield* theKey(context)
    const asker = { current, timeZone: context.formats.timeZone, models: yield* enabledIds }
    const terms = yield* Effect.mapError(
      Effect.fromResult(readKeyForm(fields, asker)),
      (wrong) => refuse(keyProblems(context, wrong))
    )
    yield* (yield* ApiKeys).change(current.id, changeOf(terms, current), { userId: context.user.id }).pipe(
      Effect.catchTags(refusals(context))
    )
    return redirect("/keys?done=changed")
  })
})

/** Stops a key, or lets it go on. */
const pausing = (paused: boolean) => (context: UserContext) =>
  Effect.gen(function*() {
    const id = yield* pathId("id", ApiKeyId)
    yield* (yield* ApiKeys).change(id, { paused }, { userId: context.user.id }).pipe(
      Effect.catchTags(refusals(context))
    )
    return redirect(`/keys?done=${paused ? "paused" : "resumed"}`)
  }).pipe(orNotFound)

const revocation = keyRevocation({
  path: "/keys",
  title: (context) => sayOf(context, "keys")("revoke.title"),
  find: ({ user }, id) => KeyList.use((keys) => keys.find(user.id, id)),
  revoke: ({ user }, id) => ApiKeys.use((keys) => keys.revokeOwn(user.id, id))
})

export const KeysRoutes = routes(
  userPage("/keys", show),
  userPage("/keys/new", showNew),
  userForm("/keys", { run: create, again: showNew }),
  userPage("/keys/:id", edit.page),
  userForm("/keys/:id", edit.form),
  userForm("/keys/:id/pause", { run: pausing(true) }),
  userForm("/keys/:id/resume", { run: pausing(false) }),
  userPage("/keys/:id/revoke", revocation.page),
  userForm("/keys/:id/revoke", revocation.form)
)
