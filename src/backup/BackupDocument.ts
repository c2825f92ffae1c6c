/**
 * The first file of a backup, `realms/backup.json`: what the backup is of and what a restore of it needs. Nothing in it is secret. And the
 * names of the other files that are not PostgreSQL's.
 */
import { Schema } from "effect"
import { AppliedMigration } from "../postgres/Migrations.ts"

/** The form of the file. A later one gets another number, and is refused by a program that does not know it. */
export const FORMAT = 1

export const DOCUMENT_PATH = "realms/backup.json"
/** Size and checksum of every file that PostgreSQL's manifest does not list. The last file. */
export const FILES_PATH = "realms/files.json"
export const KEY_PATH = "realms/master.key"
export const OUTBOX_FOLDER = "realms/outbox"
/** PostgreSQL's own manifest. */
export const MANIFEST_PATH = "backup_manifest"

export const BackupDocument = Schema.Struct({
  format: Schema.Literal(FORMAT),
  /** The version of Realms that took it. */
  realms: Schema.String,
  /** The major version of PostgreSQL, such as `18`. */
  postgres: Schema.String,
  /** The role and the database of Realms. */
  user: Schema.NonEmptyString,
  database: Schema.NonEmptyString,
  takenAt: Schema.String,
  migrations: Schema.Array(AppliedMigration),
  /** The ids of the master keys that seal anything in the database. */
  keyIds: Schema.Array(Schema.String),
  /** The key file is in the backup. */
  withKey: Schema.Boolean
})
export interface BackupDocument extends Schema.Schema.Type<typeof BackupDocument> {}

const DocumentFile = Schema.fromJsonString(BackupDocument)
export const encodeDocument = Schema.encodeSync(DocumentFile)
export const decodeDocument = Schema.decodeUnknownSync(DocumentFile)
