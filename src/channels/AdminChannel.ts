/**
 * A channel as root sees it: what it is, its keys and what is held against each of them, how its calls and tests went.
 */
import { Result } from "effect"
import { shownUrl } from "../config/OutboundUrl.ts"
import { type ChannelTerms, channelTerms } from "../domain/ChannelTerms.ts"
import type { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import type { AuditFacts } from "../platform/AuditLog.ts"
import type { ChannelInput } from "./ChannelInput.ts"
import type { StoredKey } from "./ChannelKeys.ts"
import type { StoredChannel } from "./ChannelStore.ts"
import type { OutReason, SaidFailure } from "./FailureReason.ts"

/** A key of a channel, and what is held against it. */
export interface AdminChannelKey {
  readonly id: ChannelKeyId
  /** Its last characters. */
  readonly hint: string
  /** This process can call with it. */
  readonly isReadable: boolean
  /** Its upstream asked to wait until then. Null, or past: it did not. */
  readonly coolingUntil: Date | null
  /** It was taken out of use, and when it is tried again. */
  readonly out: {
    readonly reason: OutReason
    readonly status: number | null
    readonly at: Date
    readonly probeAt: Date
  } | null
  /** What its account had left, when somebody asked. */
  readonly balance: {
    readonly at: Date
    /** A decimal number in the currency; null: it could not be had, and why. */
    readonly amount: string | null
    readonly currency: string | null
    readonly problem: string | null
  } | null
  readonly createdAt: Date
}

/** The last test of one of its models. */
export interface AdminChannelTest {
  readonly model: string
  readonly testedAt: Date
  /** Null: it works. */
  readonly reason: SaidFailure["reason"] | null
  readonly status: number | null
  readonly latencyMs: number
}

export interface AdminChannel extends ChannelTerms {
  readonly id: ChannelId
  /** Counts the changes of the row; a change names the one it was made on. */
  readonly revision: bigint
  readonly name: string
  /** Without a trailing slash, and without the credentials that a file may have put into it. */
  readonly baseUrl: string
  readonly priority: number
  readonly weight: number
  /** It is in the configuration file, or was, and is changed there alone. */
  readonly declared: boolean
  readonly disabledAt: Date | null
  /** Whether this process has a key to call it with; one that does not open is none. */
  readonly hasKey: boolean
  /** The oldest first. */
  readonly keys: ReadonlyArray<AdminChannelKey>
  /** When it last answered a call; null: never. */
  readonly successAt: Date | null
  /** When it last failed one, and why; null: never. */
  readonly failure: SaidFailure & { readonly at: Date } | null
  readonly tests: ReadonlyArray<AdminChannelTest>
  /** The worst of its circuit breakers in this process. */
  readonly health: "closed" | "open" | "half_open"
  /** Our model ids to the upstream's. */
  readonly models: Readonly<Record<string, string>>
  /** Ids of the models of which its upstream was seen to report output that it does not show. */
  readonly hiddenOutput: ReadonlyArray<string>
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `keys`: of the channel. `health`: the worst of its circuit breakers. */
export const toAdminChannel = (
  row: StoredChannel,
  keys: ReadonlyArray<AdminChannelKey>,
  health: AdminChannel["health"]
): AdminChannel => {
  const { failureAt, failureReason, failureStatus } = row
  return {
    ...termsOf(row),
    id: row.id,
    revision: row.revision,
    name: row.name,
    baseUrl: shownUrl(row.baseUrl),
    priority: row.priority,
    weight: row.weight,
    declared: row.declared,
    disabledAt: row.disabledAt,
    hasKey: keys.some(({ isReadable }) => isReadable),
    keys,
    health,
    successAt: row.successAt,
    failure: failureAt === null || failureReason === null
      ? null
      : { at: failureAt, reason: failureReason, status: failureStatus },
    tests: row.tests,
    models: row.models,
    hiddenOutput: row.hiddenOutput,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt
  }
}

export const toAdminKey = (key: StoredKey, isReadable: boolean): AdminChannelKey => ({
  id: key.id,
  hint: key.hint,
  isReadable,
  coolingUntil: key.coolingUntil,
  out: key.outReason === null || key.outAt === null || key.probeAt === null
    ? null
    : { reason: key.outReason, status: key.outStatus, at: key.outAt, probeAt: key.probeAt },
  balance: key.balanceAt === null
    ? null
    : { at: key.balanceAt, amount: key.balance, currency: key.balanceCurrency, problem: key.balanceProblem },
  createdAt: key.createdAt
})

export const factsOf = (input: ChannelInput): AuditFacts => ({
  name: input.name,
  base_url: input.baseUrl,
  priority: input.priority,
  weight: input.weight,
  ...channelTerms.toRow(input),
  models: Object.fromEntries(Object.entries(input.models).toSorted(([a], [b]) => a < b ? -1 : 1))
})

/** A row that cannot be read is a defect here: it is not to be edited by a version that does not know all of it. */
const termsOf = (row: StoredChannel): ChannelTerms =>
  Result.getOrThrowWith(
    channelTerms.readRow(row),
    (columns) => new Error(`channel ${row.id} has values that this version does not know: ${columns.join(", ")}`)
  )

export const inputOf = (row: StoredChannel): ChannelInput => ({
  ...termsOf(row),
  name: row.name,
  baseUrl: row.baseUrl,
  apiKeys: [],
  priority: row.priority,
  weight: row.weight,
  models: row.models
})
