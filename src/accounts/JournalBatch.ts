/**
 * One batch of the journal as the arguments of `realms_journal_v1`, and its answer decoded. Arrays travel as PostgreSQL
 * array literals: text that is joined once, which is the cheapest thing to make per call.
 *
 * @internal
 */
import type { Event } from "./AccountMachine.ts"

/** What one account adds to a batch, in the order it was decided. */
export interface JournalGroup {
  readonly userId: bigint
  readonly events: ReadonlyArray<Event>
  /** Subscriptions written, with the fence each decision was made on and the one that replaces it. */
  readonly fences: ReadonlyArray<readonly [subscriptionId: bigint, expected: bigint, next: bigint]>
}

/** How one account's part of a batch went. */
export interface GroupResult {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** `rejected`: its reserves and extends were not written. `stale`: a fence did not match. */
  readonly note: "" | "rejected" | "stale" | "unknown"
  /** Answers that differ from the plain case, by reservation id or by {@link postKey}. */
  readonly exceptions: ReadonlyMap<string, string>
}

/** The key of a ledger entry within a batch. */
export const postKey = (event: Extract<Event, { _tag: "EntryPosted" }>): string =>
  `${event.entry.refType}/${event.entry.refId}/${event.entry.kind}`

const columns = {
  users: "bigint[]",
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
  r_billing: "bigint[]",
  r_plan: "bigint[]",
  r_lease: "integer[]",
  r_at: "bigint[]",
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

/** The statement of every batch; its last parameter is the ledger entries as JSON, or null. */
export const batchSql = `SELECT * FROM realms_journal_v1(${
  Object.values(columns).map((type, index) => `$${index + 1}::${type}`).join(", ")
}, $${names.length + 1}::jsonb)`

const escaped = /["\\]/g

const quote = (text: string | null): string => text === null ? "NULL" : `"${text.replace(escaped, "\\$&")}"`

class BatchArguments {
  private readonly values: Record<Column, Array<string>>
  private readonly ledger: Array<unknown> = []

  constructor() {
    const values: Partial<Record<Column, Array<string>>> = {}
    for (const name of names) values[name as Column] = []
    this.values = values as Record<Column, Array<string>>
  }

  private put(name: Column, value: bigint | number | boolean | null): void {
    this.values[name].push(value === null ? "NULL" : String(value))
  }

  private text(name: Column, value: string | null): void {
    this.values[name].push(quote(value))
  }

  addGroup(group: JournalGroup): void {
    this.put("users", group.userId)
    for (const [subscriptionId, expected, next] of group.fences) {
      this.put("subs", subscriptionId)
      this.put("fences", expected)
      this.put("next", next)
    }
    for (const event of group.events) this.addEvent(group.userId, event)
  }

  private addEvent(userId: bigint, event: Event): void {
    switch (event._tag) {
      case "Reserved":
        return this.addReserve(userId, event)
      case "Extended":
        this.values.e_id.push(event.reservation.id)
        this.put("e_user", userId)
        return this.put("e_to", event.reservation.reservedMicros)
      case "Settled":
        return this.addSettle(userId, event)
      case "EntryPosted":
        this.ledger.push({
          user_id: String(userId),
          kind: event.entry.kind,
          amount: String(event.entry.amountMicros),
          ref_type: event.entry.refType,
          ref_id: event.entry.refId,
          actor: event.entry.actor,
          note: event.entry.note,
          mode: event.entry.mode,
          place: postKey(event)
        })
    }
  }

  private addReserve(userId: bigint, event: Extract<Event, { _tag: "Reserved" }>): void {
    const { command, reservation } = event
    this.values.r_id.push(reservation.id)
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
    this.put("r_billing", reservation.billingMultiplier)
    this.put("r_plan", reservation.planMultiplier)
    this.put("r_lease", command.leaseSeconds)
    this.put("r_at", reservation.reservedAtMs)
  }

  private addSettle(userId: bigint, event: Extract<Event, { _tag: "Settled" }>): void {
    const outcome = event.outcome
    const used = event.kind === "c" && outcome !== null ? outcome.usage : null
    this.values.s_id.push(event.id)
    this.put("s_user", userId)
    this.text("s_kind", event.kind)
    this.put("s_cost", event.costMicros)
    this.put("s_charge", event.chargedMicros)
    this.put("s_in", used === null ? null : used.inputTokens)
    this.put("s_cached", used === null ? null : used.cachedInputTokens)
    this.put("s_write", used === null ? null : used.cacheWriteTokens)
    this.put("s_out", used === null ? null : used.outputTokens)
    this.text("s_source", outcome === null ? null : outcome.usageSource)
    this.put("s_flagged", outcome !== null && outcome.usageFlagged)
    this.put("s_status", outcome === null ? null : outcome.status)
    this.text("s_reason", outcome === null ? "lease_expired" : outcome.reason)
    this.text("s_channel", outcome === null ? null : outcome.channel)
    this.text("s_upstream", outcome === null ? null : outcome.upstreamModel)
    this.put("s_latency", outcome === null ? null : outcome.latencyMs)
    this.put("s_ttft", outcome === null ? null : outcome.ttftMs)
  }

  parameters(): Array<string | null> {
    const parameters: Array<string | null> = names.map((name) => `{${this.values[name as Column].join(",")}}`)
    parameters.push(this.ledger.length === 0 ? null : JSON.stringify(this.ledger))
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
export const decodeBatch = (rows: ReadonlyArray<ReadonlyArray<unknown>>): Map<bigint, GroupResult> => {
  const results = new Map<bigint, GroupResult>()
  const exceptions = new Map<bigint, Map<string, string>>()
  for (const row of rows) {
    const [tag, userId, id, usd, owed, note] = row as [
      string,
      bigint,
      string | null,
      bigint | null,
      bigint | null,
      string
    ]
    if (tag === "user") {
      results.set(userId, {
        usdMicros: usd ?? 0n,
        owedMicros: owed ?? 0n,
        note: note as GroupResult["note"],
        exceptions: exceptions.get(userId) ?? none
      })
    } else {
      const own = exceptions.get(userId) ?? new Map<string, string>()
      own.set(id ?? note, tag)
      exceptions.set(userId, own)
    }
  }
  return results
}

const none: ReadonlyMap<string, string> = new Map()
