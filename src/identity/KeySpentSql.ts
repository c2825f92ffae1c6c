/**
 * What keys have spent, as SQL: the one rule by which limits, pages and tools count. A call counts once: folded ones by the sums of
 * `usage_keys` and `usage_hours`, the others by index, which are open holds, those of the last minutes, and those that the fold passed.
 */
import { chargedOf } from "../accounts/Charged.ts"

/** The moment that periods are those of, as SQL, where it is not this one. */
const NOW = "now()"

/** The beginning of a period, and its end; `period` is the SQL of a `LimitPeriod` that is not `total`. */
const startOf = (period: string, at: string): string => `date_trunc(${period}, ${at}, 'UTC')`
const endOf = (period: string, at: string): string =>
  `((date_trunc(${period}, ${at} AT TIME ZONE 'UTC') + ('1 ' || ${period})::interval) AT TIME ZONE 'UTC')`

const sumIn = (period: string, at: string): string =>
  `coalesce(sum(c.micros) FILTER (WHERE c.at >= ${startOf(`'${period}'`, at)} AND c.at < ${
    endOf(`'${period}'`, at)
  }), 0) AS ${period}`

/**
 * What the calls of a user that are not folded were charged or hold: a row for each key, or for the one that is named, with the sums
 * `total`, `day`, `week` and `month`, which are those of the moment `at`.
 */
export const unfoldedSql = (
  { at = NOW, key, user }: { readonly user: string; readonly key?: string; readonly at?: string }
): string => {
  const ofKey = (alias: string) => key === undefined ? "" : ` AND ${alias}.key_id = ${key}`
  return `
    SELECT c.key_id, sum(c.micros) AS total, ${sumIn("day", at)}, ${sumIn("week", at)}, ${sumIn("month", at)} FROM (
      SELECT h.key_id, h.reserved_at AS at, h.reserved_micros AS micros FROM open_holds h WHERE h.user_id = ${user}${
    ofKey("h")
  }
      UNION ALL
      SELECT e.key_id, e.reserved_at, ${chargedOf("e")} FROM usage_events e
        WHERE e.user_id BETWEEN ${user} AND ${user}${ofKey("e")} AND (e.user_id, e.id) > (${user}, coalesce(
          (SELECT f.through FROM usage_folds f WHERE f.user_id = ${user}), '00000000-0000-0000-0000-000000000000'))
      UNION ALL
      SELECT e.key_id, e.reserved_at, ${chargedOf("e")}
        FROM usage_pending p CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = p.id OFFSET 0) e
        WHERE p.user_id = ${user}${ofKey("e")}
    ) c GROUP BY c.key_id`
}

/** What the folded calls of a key were charged in all. */
export const foldedTotalSql = (key: string): string =>
  `coalesce((SELECT s.charged_micros FROM usage_keys s WHERE s.key_id = ${key}), 0)`

/**
 * What a key has spent in the period of its limit that the moment `at` lies in; `key` is a row of `api_keys`, `unfolded` one of
 * {@link unfoldedSql} of that moment, or null.
 */
export const spentSql = (key: string, unfolded: string, at = NOW): string => {
  const period = `${key}.spend_limit_period`
  return `(CASE ${period} WHEN 'total' THEN ${foldedTotalSql(`${key}.id`)}
      ELSE coalesce((SELECT sum(u.charged_micros) FROM usage_hours u WHERE u.key_id = ${key}.id AND u.key_id <> 0
        AND u.hour >= ${startOf(period, at)} AND u.hour < ${endOf(period, at)}), 0) END
    + coalesce(CASE ${period} WHEN 'day' THEN ${unfolded}.day WHEN 'week' THEN ${unfolded}.week
      WHEN 'month' THEN ${unfolded}.month ELSE ${unfolded}.total END, 0))::bigint`
}

/** What one key has spent in all, this day, this week and this month: one row. */
export const keyUsageSql = (of: { readonly key: string; readonly user: string }): string => {
  const folded = (period: string) =>
    `coalesce(sum(u.charged_micros) FILTER (WHERE u.hour >= date_trunc('${period}', now(), 'UTC')), 0) AS ${period}`
  const both = (period: string) => `(f.${period} + coalesce(r.${period}, 0))::bigint AS ${period}_micros`
  return `
    SELECT ${both("day")}, ${both("week")}, ${both("month")},
        (${foldedTotalSql(of.key)} + coalesce(r.total, 0))::bigint AS total_micros
      FROM (SELECT ${folded("day")}, ${folded("week")}, ${folded("month")} FROM usage_hours u
        WHERE u.key_id = ${of.key} AND u.key_id <> 0
          AND u.hour >= least(date_trunc('week', now(), 'UTC'), date_trunc('month', now(), 'UTC'))) f
      LEFT JOIN LATERAL (${unfoldedSql(of)}) r ON true`
}
