/**
 * The columns of a channel's terms, for every statement that reads or writes them. A new term needs a migration and nothing here.
 * @internal
 */
import { Record, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { channelTerms } from "../domain/ChannelTerms.ts"

/** The columns of all terms; `of`: a table or its alias. */
export const termColumns = (sql: SqlClient.SqlClient, of?: "c" | "d" | "excluded") =>
  sql.literal(channelTerms.columnNames.map((name) => of === undefined ? name : `${of}.${name}`).join(", "))

/** The terms as fields of a row. They are left as they are stored, for `channelTerms.readRow` to read. */
export const termFields = Record.map(channelTerms.fields, () => Schema.Unknown)
