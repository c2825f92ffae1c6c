/**
 * What pages of users' API keys and of admin keys have in common: the columns of a key, the question before one is revoked, and the
 * one page that ever shows a new one.
 */
import { Effect } from "effect"
import { ApiKeyId } from "../../../domain/Ids.ts"
import { type NotThere, type Page, PageNotFound, type PageProblem, redirect } from "../Answer.ts"
import { pageForm } from "../ConsoleRoute.ts"
import type { PageContext, UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { askPage, headedPage } from "./Forms.tsx"
import type { ItemColumn } from "./List.tsx"
import { Copyable, Notice, Panel, StateBadge, type States } from "./Parts.tsx"

interface Key {
  readonly id: bigint
  readonly name: string
  /** Its beginning and last characters. */
  readonly hint: string
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

type KeyState = "active" | "expired" | "revoked"

const states: States<KeyState, KeyState> = {
  active: ["green", "active"],
  expired: ["yellow", "expired"],
  revoked: ["secondary", "revoked"]
}

export const keyState = ({ expiresAt, revokedAt }: Pick<Key, "expiresAt" | "revokedAt">, now: Date): KeyState =>
  revokedAt !== null ? "revoked" : expiresAt !== null && expiresAt <= now ? "expired" : "active"

/** `path` is that of the list, below which each key can be revoked. */
export const keyColumns = <K extends Key>(
  { now, say }: PageContext,
  path: string
): Readonly<Record<"name" | "state" | "action", ItemColumn<K>>> => ({
  name: {
    title: say("key"),
    cell: ({ hint, name }) => (
      <>
        <div class="key-name">{name === "" ? "–" : name}</div>
        <code class="nowrap">{hint}</code>
      </>
    )
  },
  state: { title: say("state"), cell: (key) => <StateBadge say={say} states={states} state={keyState(key, now)} /> },
  action: {
    title: say("action"),
    number: true,
    cell: (key) => {
      const label = say("revoke.label", { name: key.name === "" ? key.hint : key.name })
      return keyState(key, now) !== "active"
        ? null
        : (
          <a class="btn btn-sm btn-ghost-danger" href={`${path}/${key.id}/revoke`} aria-label={label}>
            {say("revoke")}
          </a>
        )
    }
  }
})

interface Revocation<R1, R2> {
  /** Of the list, below which each key can be revoked. */
  readonly path: string
  title(context: PageContext): string
  list(context: UserContext): Effect.Effect<ReadonlyArray<Key>, PageProblem, R1>
  revoke(context: UserContext, id: ApiKeyId): Effect.Effect<void, PageProblem | NotThere, R2>
}

/** The question before a key is revoked, which is not asked of one that is revoked already. */
export const keyRevocation = <R1, R2>({ list, path, revoke, title }: Revocation<R1, R2>) =>
  pageForm({
    show: Effect.fnUntraced(function*(context, state) {
      const id = yield* pathId("id", ApiKeyId)
      const key = (yield* list(context)).find((listed) => listed.id === id)
      if (key === undefined) return yield* new PageNotFound()
      if (key.revokedAt !== null) return redirect(path)
      const { say } = context
      return askPage({
        context,
        state,
        title: title(context),
        text: say("revoke.text", { name: key.name, hint: key.hint }),
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

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** `authorization` is put between double quotes where it names a variable, and is one word where it is a key. */
export const curlLine = (
  publicUrl: string,
  key: { readonly variable: string } | { readonly text: string },
  model: string
) => {
  const bearer = "variable" in key
    ? `"Authorization: Bearer $${key.variable}"`
    : quoted(`Authorization: Bearer ${key.text}`)
  return [
    `curl ${publicUrl}/v1/chat/completions \\`,
    `  -H ${bearer} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quoted(JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }))}`
  ].join("\n")
}
