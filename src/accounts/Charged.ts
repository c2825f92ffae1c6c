/**
 * What a call was charged, of its row in `usage_events` or `calls`: at its settlement, and by a commit after its expiry. Each part has its
 * own date.
 */

/** The sum of both parts as SQL, in micros; null while the call is open. `alias`: of the row. */
export const chargedOf = (alias: string): string => `(${alias}.charged_micros + ${alias}.late_charged_micros)`
