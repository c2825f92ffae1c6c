/**
 * Users as a file: the columns of a user, with money in USD.
 */
import { DateTime } from "effect"
import { formatUsd } from "../domain/Money.ts"
import type { CsvColumns } from "../platform/Csv.ts"
import type { UserSummary } from "./UserSearch.ts"

const time = (at: Date | null): string => at === null ? "" : DateTime.formatIso(DateTime.fromDateUnsafe(at))

export const userColumns: CsvColumns<UserSummary> = [
  ["id", ({ id }) => id.toString()],
  ["email", ({ email }) => email],
  ["role", ({ role }) => role],
  ["created", ({ createdAt }) => time(createdAt)],
  ["disabled", ({ disabledAt }) => time(disabledAt)],
  ["balance_usd", ({ usdMicros }) => formatUsd(usdMicros)],
  ["owed_usd", ({ owedMicros }) => formatUsd(owedMicros)],
  ["spent_usd", ({ spentMicros }) => formatUsd(spentMicros)],
  ["last_call", ({ lastCallAt }) => time(lastCallAt)],
  ["last_seen", ({ lastSeenAt }) => time(lastSeenAt)]
]
