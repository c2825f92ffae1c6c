/**
 * What pages of users' API keys and of admin keys have in common: the columns of a key, the question before one is revoked, and the
 * one page that ever shows a new one.
 */
import { Effect } from "effect"
import { ApiKeyId } from "../../../domain/Ids.ts"
import type { SpendingApiKey } from "../../../identity/ApiKey.ts"
import { periodEnd } from "../../../domain/LimitPeriod.ts"
import { type NotThere, type Page, PageNotFound, type PageProblem, redirect } from "../Answer.ts"
import { pageForm } from "../ConsoleRoute.ts"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { askPage, headedPage } from "./Forms.tsx"
import type { ItemColumn } from "./List.tsx"
import { Copyable, Meter, Notice, Panel, Small, StateBadge, type States, Usd } from "./Parts.tsx"

interface Key {
  readonly id: bigint
  readonly name: string
  /** Its beginning and last characters. */
  readonly hint: string
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  /** Absent: it cannot be paused. */
  readonly pausedAt?: Date | null
}

type KeyState = "active" | "paused" | "expired" | "revoked"

const states: States<KeyState, KeyState> = {
  active: ["green", "active"],
  paused: ["orange", "paused"],
  expired: ["yellow", "expired"],
  revoked: ["secondary", "revoked"]
}

export const keyState = (
  { expiresAt, pausedAt = null, revokedAt }: Pick<Key, "expiresAt" | "revokedAt" | "pausedAt">,
  now: Date
): KeyState => {
  if (revokedAt !== null) return "revoked"
  if (expiresAt !== null && expiresAt <= now) return "expired"
  return pausedAt === null ? "active" : "paused"
}

/** What a key is called: by its hint where it has no name. */
export const keyName = ({ hint, name }: Pick<Key, "hint" | "name">): string => name === "" ? hint : name

/** The question before a key is revoked, below the list's path. */
export const RevokeLink = (
  { context: { say }, item, path }: { readonly context: PageContext; readonly item: Key; readonly path: string }
) => (
  <a
    class="btn btn-sm btn-ghost-danger"
    href={`${path}/${item.id}/revoke`}
    aria-label={say("revoke.label", { name: keyName(item) })}
  >
    {say("revoke")}
  </a>
)

/** `path` is that of the list, below which each key can be revoked, and where it `isLinked` has a page of its own. */
export const keyColumns = <K extends Key>(
  context: PageContext,
  path: string,
  isLinked = false
): Readonly<Record<"name" | "state" | "action", ItemColumn<K>>> => ({
  name: {
    title: context.say("key"),
    cell: (key) => (
      <>
        <div class="key-name break-anywhere">
          {isLinked && key.revokedAt === null
            ? <a href={`${path}/${key.id}`}>{keyName(key)}</a>
            : key.name === ""
            ? "–"
            : key.name}
        </div>
        <code class="nowrap">{key.hint}</code>
      </>
    )
  },
  state: {
    title: context.say("state"),
    cell: (key) => <StateBadge say={context.say} states={states} state={keyState(key, context.now)} />
  },
  action: {
    title: context.say("action"),
    number: true,
    cell: (key) => isOver(key, context.now) ? null : <RevokeLink context={context} item={key} path={path} />
  }
})

const isOver = (key: Key, now: Date): boolean => ["expired", "revoked"].includes(keyState(key, now))

/** What a key has spent of its limit, with a meter, and when the limit resets; without a limit, what it has spent. */
export const KeySpent = ({ context, item }: { readonly context: PageContext; readonly item: SpendingApiKey }) => {
  const say = sayOf(context, "keys")
  const { usd, usdRounded } = context.formats
  const { dayLimitMicros, monthLimitMicros, spendLimitMicros: limit, spendLimitPeriod: period, spentMicros } = item
  const { spentOfLimitMicros: spent } = item
  const others = ([["limit.day", dayLimitMicros], ["limit.month", monthLimitMicros]] as const).flatMap((
    [key, micros]
  ) => micros === null ? [] : [<Small>{say(key, { limit: usdRounded(micros) })}</Small>])
  if (limit === null) {
    return (
      <>
        <Usd context={context} micros={spentMicros} />
        {others}
      </>
    )
  }
  const values = { spent: usd(spent), limit: usd(limit), left: usd(limit > spent ? limit - spent : 0n) }
  const resetsAt = periodEnd(period, context.now.getTime())
  return (
    <div class="key-spent">
      <div class="nowrap">
        <Usd context={context} micros={spent} /> /{" "}
        <span title={usd(limit)}>{periodLimit(context, item, usdRounded)}</span>
      </div>
      <Meter label={say("meter", values)} used={spent} held={0n} limit={limit} />
      <Small>{limit > spent ? say("left", { left: usdRounded(limit - spent) }) : say("left.none")}</Small>
      <Small>{resetsAt === null ? undefined : say("resets", { at: context.formats.time(resetsAt) })}</Small>
      {others}
    </div>
  )
}

/** A limit and what it is for, such as "$5.00 a day". */
export const periodLimit = (
  context: PageContext,
  { spendLimitMicros, spendLimitPeriod }: Pick<SpendingApiKey, "spendLimitMicros" | "spendLimitPeriod">,
  format = context.formats.usd
): string => {
  const say = sayOf(context, "keys")
  if (spendLimitMicros === null) return say("limit.none")
  const values = { limit: format(spendLimitMicros) }
  return {
    day: say("limit.day", values),
    week: say("limit.week", values),
    month: say("limit.month", values),
    total: values.limit
  }[spendLimitPeriod]
}

interface Revocation<R1, R2> {
  /** Of the list, below which each key can be revoked. */
  readonly path: string
  title(context: PageContext): string
  /** Undefined: there is no such key. */
  find(context: UserContext, id: ApiKeyId): Effect.Effect<Key | undefined, PageProblem, R1>
  revoke(context: UserContext, id: ApiKeyId): Effect.Effect<void, PageProblem | NotThere, R2>
}

/** The question before a key is revoked, which is not asked of one that is revoked already. */
export const keyRevocation = <R1, R2>({ find, path, revoke, title }: Revocation<R1, R2>) =>
  pageForm({
    show: Effect.fnUntraced(function*(context, state) {
      const id = yield* pathId("id", ApiKeyId)
      const key = yield* find(context, id)
      if (key === undefined) return yield* new PageNotFound()
      if (key.revokedAt !== null) return redirect(path)
      const { say } = context
      return askPage({
        context,
        state,
        title: title(context),
        text: say("revoke.text", { name: keyName(key), hint: key.hint }),
        submit: say("revokeTheKey"),
        backText: say("keepIt"),
        danger: true,
        action: `${path}/${id}/revoke`,
        back: path
      })
    }),
    run: Effect.fnUntraced(function*(context) {
      yield* revoke(context, yield* pathId("id", ApiKeyId))
      return redirect(`${path}?done=revoked`)
    })
  })

interface NewKeyProps {
  readonly context: PageContext
  readonly title: string
  readonly apiKey: string
  /** A command that tries it; undefined: there is nothing to try. */
  readonly command: string | undefined
  readonly back: string
}

export const newKeyPage = ({ apiKey, back, command, title, context }: NewKeyProps): Page => {
  const { say } = context
  const copy = { label: say("copy"), copied: say("copied") }
  return headedPage({
    context,
    title,
    children: (
      <>
        <Notice kind="warning">{say("created.once")}</Notice>
        <Panel class="mb-3">
          <Copyable id="new-key" text={apiKey} {...copy} />
        </Panel>
        {command === undefined ? null : (
          <Panel title={say("tryIt")} class="mb-3">
            <Copyable id="new-key-curl" text={command} {...copy} />
          </Panel>
        )}
        <a class="btn btn-primary" href={back}>{say("done")}</a>
      </>
    )
  })
}
