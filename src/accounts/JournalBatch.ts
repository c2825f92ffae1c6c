/**
 * One batch of the journal as the arguments of `realms_journal_v1`, and its answer decoded. Arrays travel as PostgreSQL
 * array literals: text that is joined once, which is the cheapest thing to make per call.
 *
 * @internal
 */
import type { SubscriptionId, UserId } from "../domain/Ids.ts"
import type { Event } from "./AccountMachine.ts"
import type { CallOutcome, UsageFlag } from "./AccountState.ts"
import { priceExtrasText } from "./PriceExtras.ts"
import { onlyReturns } from "./SettlementRules.ts"
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
  readonly tag: "exists" | "lost" | "kept" | "missing" | "leased" | "stale" | "charged" | "late"
  /** What was charged in all, of `charged` and `late`. */
  readonly chargedMicros: bigint
}

const columns = {
  users: "bigint[]",
  max: "integer[]",
  subs: "bigint[]",
  fences: "bigint[]",
  next: "bigint[]",
  ordered: "bigint[]",
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
  s_source: "text[]",
  s_flagged: "boolean[]",
  s_status: "integer[]",
  s_reason: "text[]",
  s_channel: "text[]",
  s_upstream: "text[]",
  s_latency: "integer[]",
  s_ttft: "integer[]"
} as const

type Column = keyof typeof columns

const names = Object.keys(columns)

/** The statement of every batch; its last parameter is what few calls have, as JSON, or null. */
export const batchSql = `SELECT * FROM realms_journal_v1(${
  Object.values(columns).map((type, index) => `$${index + 1}::${type}`).join(", ")
}, $${names.length + 1}::jsonb)`

const escaped = /["\\]/g

const quote = (text: string | null): string => text === null ? "NULL" : `"${text.replace(escaped, "\\$&")}"`

/** The open reservations that an account may have by the reserves of a batch; null: not limited. */
const openHoldsMax = (events: ReadonlyArray<Event>): number | null => {
  let most: number | null = null
  for (const event of events) {
    if (event._tag !== "Reserved") continue
    const { openHoldsMax: max } = event.command
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
 * The arguments of one batch, column by column. A column in which nothing is set stays empty, as an array that ends early has
 * nulls behind its end: most calls have none of what few have, and pay nothing for it.
 */
class BatchArguments {
  private readonly values: Record<Column, Array<string>>
  private readonly set = new Set<Column>()
  private readonly more: Array<unknown> = []

  constructor() {
    const values: Partial<Record<Column, Array<string>>> = {}
    for (const name of names) values[name as Column] = []
    this.values = values as Record<Column, Array<string>>
  }

  private put(name: Column, value: bigint | number | boolean | null): void {
    if (value !== null) this.set.add(name)
    this.values[name].push(value === null ? "NULL" : String(value))
  }

  private text(name: Column, value: string | null): void {
    if (value !== null) this.set.add(name)
    this.values[name].push(quote(value))
  }

  private id(name: "r_id" | "e_id" | "s_id", id: string): void {
    this.set.add(name)
    this.values[name].push(id)
  }

  addGroup(group: JournalGroup): void {
    this.put("users", group.userId)
    this.put("max", openHoldsMax(group.events))
    for (const [subscriptionId, expected, next] of group.fences) {
      this.put("subs", subscriptionId)
      this.put("fences", expected)
      this.put("next", next)
    }
    let settled = 0
    let plain = true
    for (const event of group.events) {
      this.addEvent(group.userId, event)
      if (event._tag !== "Settled") continue
      settled++
      plain = plain && onlyReturns(event)
    }
    if (settled > 1 && !plain) this.put("ordered", group.userId)
  }

  private addEvent(userId: UserId, event: Event): void {
    switch (event._tag) {
      case "Reserved":
        return this.addReserve(userId, event)
      case "Extended":
        this.id("e_id", event.reservation.id)
        this.put("e_user", userId)
        return this.put("e_to", event.reservation.reservedMicros)
      case "Settled":
        return this.addSettle(userId, event)
    }
  }

  private addReserve(userId: UserId, event: Extract<Event, { _tag: "Reserved" }>): void {
    const { command, reservation } = event
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
    this.put("r_lease", command.leaseSeconds)
    this.put("r_at", reservation.reservedAtMs)
    this.put("r_counted", reservation.counted === true ? true : null)
  }

  private addSettle(userId: UserId, event: Extract<Event, { _tag: "Settled" }>): void {
    const outcome = event.outcome
    const used = event.kind === "c" && outcome !== null ? outcome.usage : null
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
    if (outcome !== null) this.addMore(userId, event.id, outcome, event.kind === "c")
  }

  private addMore(userId: UserId, id: string, outcome: CallOutcome, committed: boolean): void {
    const { excessTokens, references, usage: { tools }, usageFlags } = outcome
    if (excessTokens === undefined && references === undefined && tools === undefined && usageFlags === undefined) {
      return
    }
    const kept = committed && references !== undefined ? storedReferences(references) : undefined
    this.more.push({
      id,
      user_id: String(userId),
      web: committed ? stored(tools?.webSearch, TOOL_CALLS_STORED_MAX) : null,
      file: committed ? stored(tools?.fileSearch, TOOL_CALLS_STORED_MAX) : null,
      flags: usageFlags === undefined || usageFlags.length === 0 ? null : usageFlags.join(" "),
      excess: stored(excessTokens, Number.MAX_SAFE_INTEGER),
      ...(kept === undefined ? {} : {
        channel: String(kept.channelId),
        response: kept.responseId,
        items: kept.itemIds,
        tin: kept.inputTokens,
        tout: kept.outputTokens
      })
    })
  }

  parameters(): Array<string | null> {
    const parameters: Array<string | null> = names.map((name) =>
      this.set.has(name as Column) ? `{${this.values[name as Column].join(",")}}` : "{}"
    )
    parameters.push(this.more.length === 0 ? null : JSON.stringify(this.more))
    return parameters
  }
}

/** The parameters of {@link batchSql} for these groups; each user is in one group. */
export const batchParameters = (groups: ReadonlyArray<JournalGroup>): Array<string | null> => {
  const batch = new BatchArguments()
  for (const group of groups) batch.addGroup(group)
  return batch.parameters()
}

/** Decodes the rows of a batch to one result a user. Rows come from our own function: their shape is fixed by it. */
export const decodeBatch = (rows: ReadonlyArray<ReadonlyArray<unknown>>): Map<UserId, GroupResult> => {
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

const none: GroupResult["exceptions"] = new Map()
