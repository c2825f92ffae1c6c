/**
 * One batch of the journal as the arguments of `realms_journal_v1` or `realms_journal_plain_v1`, and its answer decoded. Arrays travel as
 * PostgreSQL array literals: text that is joined once, which is the cheapest thing to make per call.
 *
 * @internal
 */
import type { SubscriptionId, UserId } from "../domain/Ids.ts"
import type { Event } from "./Decision.ts"
import type { CallOutcome, UsageFlag } from "./AccountState.ts"
import { MULTIPLIER_ONE } from "../domain/Price.ts"
import type { TakenGroup } from "./JournalEntry.ts"
import { priceExtrasText } from "./PriceExtras.ts"
import { onlyReturns } from "./SettlementRules.ts"
import { extensionLimits, type LimitItem, reserveLimits, settlementLimits } from "./JournalLimits.ts"
import { storedReferences } from "./StoredReferences.ts"

/** What one account adds to a batch, in the order it was decided. */
export interface JournalGroup {
  readonly userId: UserId
  readonly events: ReadonlyArray<Event>
  /** Subscriptions written, with the fence each decision was made on and the one that replaces it. */
  readonly fences: ReadonlyArray<readonly [subscriptionId: SubscriptionId, expected: bigint, next: bigint]>
}

/** How one account's part of a batch went. */
export interface GroupResult {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** `rejected`: its reserves and extends were not written. `stale`: a fence did not match. */
  readonly note: "" | "rejected" | "stale" | "unknown"
  /** Answers that differ from the plain case, by reservation id. */
  readonly exceptions: ReadonlyMap<string, EntryException>
}

/** How an entry went that did not go as the plain case. */
export interface EntryException {
  /** `charged`, `late`: settled, at another charge than was decided, or after expiry. The others: not written. */
  readonly tag: "exists" | "claimed" | "lost" | "kept" | "missing" | "leased" | "stale" | "charged" | "late"
  /** What was charged in all, of `charged` and `late`. */
  readonly chargedMicros: bigint
}

const columns = {
  users: "bigint[]",
  max: "integer[]",
  subs: "bigint[]",
  fences: "bigint[]",
  next: "bigint[]",
  r_id: "uuid[]",
  r_user: "bigint[]",
  r_key: "bigint[]",
  r_endpoint: "text[]",
  r_model: "text[]",
  r_stream: "boolean[]",
  r_funding: "text[]",
  r_sub: "bigint[]",
  r_micros: "bigint[]",
  r_output: "bigint[]",
  r_in: "bigint[]",
  r_cached: "bigint[]",
  r_write: "bigint[]",
  r_out: "bigint[]",
  r_extras: "text[]",
  r_billing: "bigint[]",
  r_plan: "bigint[]",
  r_group: "bigint[]",
  r_lease: "integer[]",
  r_at: "bigint[]",
  r_counted: "boolean[]",
  e_id: "uuid[]",
  e_user: "bigint[]",
  e_to: "bigint[]",
  s_id: "uuid[]",
  s_user: "bigint[]",
  s_kind: "text[]",
  s_cost: "bigint[]",
  s_charge: "bigint[]",
  s_in: "bigint[]",
  s_cached: "bigint[]",
  s_write: "bigint[]",
  s_out: "bigint[]",
  s_web: "integer[]",
  s_file: "integer[]",
  s_excess: "bigint[]",
  s_source: "text[]",
  s_flagged: "boolean[]",
  s_flags: "text[]",
  s_status: "integer[]",
  s_reason: "text[]",
  s_channel: "text[]",
  s_upstream: "text[]",
  s_latency: "integer[]",
  s_ttft: "integer[]"
} as const

type Column = keyof typeof columns

// The keys of a literal are its columns.
const names = Object.keys(columns) as ReadonlyArray<Column>

/** What a plain batch has none of. */
const notPlain: ReadonlySet<Column> = new Set(["r_counted", "e_id", "e_user", "e_to"])

const plainNames = names.filter((name) => !notPlain.has(name))

/** A call of the function, by the types of its parameters: an array a column, and `more` behind them. */
const callOf = (name: string, taken: ReadonlyArray<Column>, more: ReadonlyArray<string>): string =>
  `SELECT * FROM ${name}(${
    [...taken.map((column) => columns[column]), ...more].map((type, index) => `$${index + 1}::${type}`).join(", ")
  })`

const escaped = /["\\]/g

const quote = (text: string): string => `"${text.replace(escaped, "\\$&")}"`

/** The open reservations that an account may have by the reserves of a batch; null: not limited. */
const openHoldsMax = (events: ReadonlyArray<Event>): number | null => {
  let most: number | null = null
  for (const event of events) {
    if (event._tag !== "Reserved") continue
    const max = event.openHoldsMax
    if (max === undefined) return null
    most = most === null ? max : Math.max(most, max)
  }
  return most
}

/** The largest number of calls of a tool that its column takes. */
const TOOL_CALLS_STORED_MAX = 2_147_483_647

/** A count that an upstream reported, bounded to what its column takes; null when it reported none. */
const stored = (count: number | undefined, max: number): number | null =>
  count === undefined || !(count > 0) ? null : Math.min(Math.trunc(count), max)

/** More input than the context is charged and shown; every other flag says that something was wrong. */
const isWrong = (flag: UsageFlag): boolean => flag !== "above_context"

/**
 * The arguments of one batch, column by column. A column ends at the last value that is set, as an array that ends early has
 * nulls behind its end: most calls have none of what few have, and pay nothing for it.
 */
class BatchArguments {
  private readonly values: Record<Column, Array<string>>
  private readonly references: Array<unknown> = []
  private readonly limits: Array<LimitItem> = []
  private readonly claims: Array<unknown> = []
  /** The rows of groups, fences, reserves, extends and settlements so far. */
  private readonly rows = { groups: 0, fences: 0, reserves: 0, extends: 0, settles: 0 }
  /** The first and the last of the reserves' ids, by their order; null where the batch has no reserve. */
  reserved: [from: string | null, to: string | null] = [null, null]
  /** The row that is being written. */
  private row = 0

  constructor() {
    const values: Partial<Record<Column, Array<string>>> = {}
    for (const name of names) values[name] = []
    this.values = values as Record<Column, Array<string>>
  }

  private write(name: Column, text: string): void {
    const column = this.values[name]
    while (column.length < this.row) column.push("NULL")
    column.push(text)
  }

  private put(name: Column, value: bigint | number | boolean | null): void {
    if (value !== null) this.write(name, String(value))
  }

  private text(name: Column, value: string | null): void {
    if (value !== null) this.write(name, quote(value))
  }

  private id(name: "r_id" | "e_id" | "s_id", id: string): void {
    this.write(name, id)
  }

  addGroup(group: JournalGroup): void {
    this.row = this.rows.groups++
    this.put("users", group.userId)
    this.put("max", openHoldsMax(group.events))
    for (const [subscriptionId, expected, next] of group.fences) {
      this.row = this.rows.fences++
      this.put("subs", subscriptionId)
      this.put("fences", expected)
      this.put("next", next)
    }
    for (const event of group.events) this.addEvent(group.userId, event)
  }

  private addEvent(userId: UserId, event: Event): void {
    switch (event._tag) {
      case "Reserved":
        return this.addReserve(userId, event)
      case "Extended":
        this.row = this.rows.extends++
        this.id("e_id", event.reservation.id)
        this.put("e_user", userId)
        this.put("e_to", event.reservation.reservedMicros)
        return extensionLimits(this.limits, userId, event)
      case "Settled":
        return this.addSettle(userId, event)
    }
  }

  private addReserve(userId: UserId, event: Extract<Event, { _tag: "Reserved" }>): void {
    const { command, reservation } = event
    this.row = this.rows.reserves++
    const [from, to] = this.reserved
    if (from === null || reservation.id < from) this.reserved[0] = reservation.id
    if (to === null || reservation.id > to) this.reserved[1] = reservation.id
    this.id("r_id", reservation.id)
    this.put("r_user", userId)
    this.put("r_key", command.keyId)
    this.text("r_endpoint", command.endpoint)
    this.text("r_model", command.model)
    this.put("r_stream", command.stream)
    this.text("r_funding", reservation.funding)
    this.put("r_sub", reservation.subscriptionId)
    this.put("r_micros", reservation.reservedMicros)
    this.put("r_output", reservation.outputTokens)
    this.put("r_in", reservation.price.inputMicrosPer1m)
    this.put("r_cached", reservation.price.cachedInputMicrosPer1m)
    this.put("r_write", reservation.price.cacheWriteMicrosPer1m)
    this.put("r_out", reservation.price.outputMicrosPer1m)
    this.text("r_extras", priceExtrasText(reservation.price))
    this.put("r_billing", reservation.billingMultiplier)
    this.put("r_plan", reservation.planMultiplier)
    this.put("r_group", reservation.groupMultiplier === MULTIPLIER_ONE ? null : reservation.groupMultiplier)
    this.put("r_lease", command.leaseSeconds)
    this.put("r_at", reservation.reservedAtMs)
    this.put("r_counted", reservation.counted === true ? true : null)
    reserveLimits(this.limits, userId, event)
    const { claim } = command
    if (claim !== undefined) {
      this.claims.push({ u: String(userId), id: reservation.id, k: claim.keyHash, b: claim.bodyHash })
    }
  }

  private addSettle(userId: UserId, event: Extract<Event, { _tag: "Settled" }>): void {
    const outcome = event.outcome
    const used = event.kind === "c" && outcome !== null ? outcome.usage : null
    this.row = this.rows.settles++
    this.id("s_id", event.id)
    this.put("s_user", userId)
    this.text("s_kind", event.kind)
    this.put("s_cost", event.costMicros)
    this.put("s_charge", event.chargedMicros)
    this.put("s_in", used === null ? null : used.inputTokens)
    this.put("s_cached", used === null ? null : used.cachedInputTokens)
    this.put("s_write", used === null ? null : used.cacheWriteTokens)
    this.put("s_out", used === null ? null : used.outputTokens)
    this.text("s_source", outcome === null ? null : outcome.usageSource)
    const flags = outcome === null ? undefined : outcome.usageFlags
    this.put("s_flagged", outcome !== null && (outcome.usageFlagged || (flags !== undefined && flags.some(isWrong))))
    this.put("s_status", outcome === null ? null : outcome.status)
    this.text("s_reason", outcome === null ? "lease_expired" : outcome.reason)
    this.text("s_channel", outcome === null ? null : outcome.channel)
    this.text("s_upstream", outcome === null ? null : outcome.upstreamModel)
    this.put("s_latency", outcome === null ? null : outcome.latencyMs)
    this.put("s_ttft", outcome === null ? null : outcome.ttftMs)
    if (outcome !== null) this.addExtras(event.id, userId, outcome, event.kind === "c")
    settlementLimits(this.limits, userId, event)
  }

  /** What few calls have. */
  private addExtras(id: string, userId: UserId, outcome: CallOutcome, committed: boolean): void {
    const { excessTokens, references, usage: { tools }, usageFlags } = outcome
    this.put("s_web", committed ? stored(tools?.webSearch, TOOL_CALLS_STORED_MAX) : null)
    this.put("s_file", committed ? stored(tools?.fileSearch, TOOL_CALLS_STORED_MAX) : null)
    this.put("s_excess", stored(excessTokens, Number.MAX_SAFE_INTEGER))
    this.text("s_flags", usageFlags === undefined || usageFlags.length === 0 ? null : usageFlags.join(" "))
    const kept = committed && references !== undefined ? storedReferences(references) : undefined
    if (kept === undefined) return
    this.references.push({
      id,
      user_id: String(userId),
      channel: String(kept.channelId),
      response: kept.responseId,
      items: kept.itemIds,
      tin: kept.inputTokens,
      tout: kept.outputTokens
    })
  }

  parameters(taken: ReadonlyArray<Column>): Array<string | null> {
    const parameters: Array<string | null> = taken.map((name) => `{${this.values[name].join(",")}}`)
    for (const items of [this.references, this.limits, this.claims]) {
      parameters.push(items.length === 0 ? null : JSON.stringify(items))
    }
    return parameters
  }
}

const none: GroupResult["exceptions"] = new Map()

const argumentsOf = (groups: ReadonlyArray<JournalGroup>): BatchArguments => {
  const batch = new BatchArguments()
  for (const group of groups) batch.addGroup(group)
  return batch
}

const isPlainEvent = (event: Event): boolean => {
  switch (event._tag) {
    case "Reserved":
      return event.reservation.counted !== true
    case "Extended":
      return false
    case "Settled":
      return event.reservation !== null && !event.late && (event.kind === "c" || event.kind === "v") &&
        onlyReturns(event)
  }
}

/**
 * Whether a group can be in a {@link plainBatch}: nothing is owed, its settlements only give back, and all else is as in most calls.
 * A batch that is refused costs all who are in it, so nobody may be in one that is known to be.
 */
export const isPlain = ({ entries }: Pick<TakenGroup, "entries">): boolean =>
  entries.every(({ event, owedAfterMicros }) => owedAfterMicros === 0n && isPlainEvent(event))

/** Where a plain batch is not refused, nobody owes anything and everything went as decided. */
const decodePlain = (rows: ReadonlyArray<ReadonlyArray<unknown>>): Map<UserId, GroupResult> => {
  const results = new Map<UserId, GroupResult>()
  for (const row of rows) {
    const [userId, usdMicros] = row as [UserId, bigint]
    results.set(userId, { usdMicros, owedMicros: 0n, note: "", exceptions: none })
  }
  return results
}

/** One result a user. Rows come from our own function: their shape is fixed by it. */
const decodeWhole = (rows: ReadonlyArray<ReadonlyArray<unknown>>): Map<UserId, GroupResult> => {
  const results = new Map<UserId, GroupResult>()
  const exceptions = new Map<UserId, Map<string, EntryException>>()
  for (const row of rows) {
    const [tag, userId, id, usd, owed, note] = row as [
      "user" | EntryException["tag"],
      UserId,
      string | null,
      bigint | null,
      bigint | null,
      GroupResult["note"]
    ]
    if (tag === "user") {
      results.set(userId, {
        usdMicros: usd ?? 0n,
        owedMicros: owed ?? 0n,
        note,
        exceptions: exceptions.get(userId) ?? none
      })
    } else if (id !== null) {
      const own = exceptions.get(userId) ?? new Map<string, EntryException>()
      own.set(id, { tag, chargedMicros: usd ?? 0n })
      exceptions.set(userId, own)
    }
  }
  return results
}

/** One way to write a batch. */
export interface BatchStatement {
  readonly sql: string
  /** Each user is in one group. */
  readonly parameters: (groups: ReadonlyArray<JournalGroup>) => Array<string | null>
  readonly decode: (rows: ReadonlyArray<ReadonlyArray<unknown>>) => Map<UserId, GroupResult>
}

/** Writes a batch, whatever is in it. */
export const wholeBatch: BatchStatement = {
  sql: callOf("realms_journal_v1", names, ["jsonb", "jsonb", "jsonb"]),
  parameters: (groups) => argumentsOf(groups).parameters(names),
  decode: decodeWhole
}

/** Writes a batch of plain groups; refused, and nothing written, where anything does not go as decided. */
export const plainBatch: BatchStatement = {
  sql: callOf("realms_journal_plain_v1", plainNames, ["jsonb", "jsonb", "jsonb", "uuid", "uuid"]),
  parameters: (groups) => {
    const batch = argumentsOf(groups)
    return [...batch.parameters(plainNames), ...batch.reserved]
  },
  decode: decodePlain
}
