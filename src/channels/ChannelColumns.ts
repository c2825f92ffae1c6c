/**
 * A channel's terms as columns of their table, which have the names of the terms: a new one needs a migration and nothing here.
 * @internal
 */
import { Record, type Result, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { channelTermList } from "../domain/ChannelTermList.ts"
import { type ChannelTerms, defaultChannelTerms } from "../domain/ChannelTerms.ts"
import { documentOf, readTerms, type TermValue } from "../domain/Term.ts"

/** The terms by column, for the database and for the audit log. */
export const columnsOf = (terms: ChannelTerms): Readonly<Record<string, TermValue>> =>
  documentOf(channelTermList, terms)

/** The columns of all terms; `of`: a table or its alias. */
export const termColumns = (sql: SqlClient.SqlClient, of?: "c" | "d" | "excluded") =>
  sql.literal(Record.keys(channelTermList).map((name) => of === undefined ? name : `${of}.${name}`).join(", "))

/** The terms as fields of a row. They are left as they are stored, for {@link termsOfRow} to read. */
export const termFields = Record.map(channelTermList, () => Schema.Unknown)

/** Fails with the columns that this version cannot read: another version, or somebody by hand, wrote the row. */
export const termsOfRow = (
  row: Readonly<Record<string, unknown>>
): Result.Result<ChannelTerms, ReadonlyArray<string>> => readTerms(channelTermList, row, defaultChannelTerms)
