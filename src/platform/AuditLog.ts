/**
 * The audit log, the record of what administrators change: who, what, before and after, when and from where. It is written by the
 * transaction that makes the change, so that neither exists without the other, and its rows are never changed. A secret is never
 * put in, not even sealed: {@link SECRET_SET} and {@link SECRET_NOT_SET} are written in its place.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"

/** Who acts. */
export interface Actor {
  /** `user:<id>` in the console, `key:<id>` by a key of the administration's API, `cli` on the command line. */
  readonly name: string
  /** The user behind it; null on the command line. */
  readonly userId: UserId | null
  /** The client's address as text; empty where it is not known. */
  readonly address: string
  /** Who confirmed what this one asked for, while it is done; see `SecondPerson.ts`. */
  readonly confirming?: {
    readonly id: bigint
    readonly by: { readonly name: string; readonly userId: UserId; readonly address: string }
  }
}

/** The command line of this machine. */
export const cliActor: Actor = { name: "cli", userId: null, address: "" }

/** Written in place of a secret, before and after. */
export const SECRET_SET = "(set)"
export const SECRET_NOT_SET = "(not set)"

/** Amounts and ids are decimal texts in the log: JSON numbers lose digits. */
export type AuditFacts = Readonly<
  Record<
    string,
    string | number | boolean | bigint | null | ReadonlyArray<string | object> | Readonly<Record<string, string>>
  >
>

export interface AuditEntry {
  /** `<what>.<done>`, such as `channel.created`. */
  readonly action: string
  /** `<what>:<id>`, such as `channel:7`. */
  readonly target: string
  /** Null: there was nothing before. */
  readonly before: AuditFacts | null
  /** Null: there is nothing after. */
  readonly after: AuditFacts | null
}

const jsonOf = (facts: AuditFacts | null): string | null =>
  facts === null
    ? null
    : JSON.stringify(facts, (_, value: unknown) => typeof value === "bigint" ? value.toString() : value)

/** Writes an entry as part of the transaction under way. */
export const recordChange = (
  sql: SqlClient.SqlClient,
  actor: Actor,
  { action, after, before, target }: AuditEntry
): Effect.Effect<void, SqlError.SqlError> => {
  const { address, confirming, name } = actor
  const confirmed = confirming === undefined
    ? after
    : { ...after, confirmation: confirming.id, confirmed_by: confirming.by.name }
  return Effect.asVoid(sql`INSERT INTO audit_log (actor, action, target, before, after, address)
    VALUES (${name}, ${action}, ${target}, ${jsonOf(before)}::jsonb, ${jsonOf(confirmed)}::jsonb,
      ${address === "" ? null : address})`)
}

/** Of two states of a thing, only what differs: a log of everything hides the change. */
export const changesBetween = (
  before: AuditFacts,
  after: AuditFacts
): { readonly before: AuditFacts; readonly after: AuditFacts } => {
  const differs = (key: string) => JSON.stringify(comparable(before[key])) !== JSON.stringify(comparable(after[key]))
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(differs)
  const only = (facts: AuditFacts): AuditFacts =>
    Object.fromEntries(keys.flatMap((key) => facts[key] === undefined ? [] : [[key, facts[key]]]))
  return { before: only(before), after: only(after) }
}

const comparable = (value: AuditFacts[string] | undefined) => typeof value === "bigint" ? value.toString() : value
