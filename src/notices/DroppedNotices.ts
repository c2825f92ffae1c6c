/**
 * What a restored database no longer has to say. Its notices are of the past, and most were sent by the installation that the backup is
 * of: a restore, above all one that is only a trial, mails nobody.
 */

/** One line, for a database of any version. */
export const DROP_WAITING_SQL = "DO $$ BEGIN IF to_regclass('notice_deliveries') IS NOT NULL THEN " +
  "UPDATE notices SET spread_at = now() WHERE spread_at IS NULL; " +
  "UPDATE notice_deliveries SET state = 'dropped', ended_at = now() WHERE state = 'waiting'; " +
  "END IF; END $$;"
