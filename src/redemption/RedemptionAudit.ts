/**
 * The part of the ledger check about redemption codes: every redemption has given what its batch says, a credit in the ledger or a
 * subscription on its terms, no credit is without its redemption, and codes count their redemptions.
 */
import { checkOf } from "../accounts/AuditFindings.ts"
import { differsFromSold } from "../subscriptions/SoldTerms.ts"

const creditsSql = `
  SELECT coalesce(r.user_id, l.user_id) AS user_id, format('redemption %s of %s micros has %s in the ledger',
      coalesce(r.ref_id, l.ref_id), coalesce(r.usd_micros::text, 'no'), coalesce(l.amount_micros::text, 'nothing')) AS message
  FROM (
    SELECT r.user_id, format('%s:%s', r.code_id, r.user_id) AS ref_id, b.usd_micros
      FROM redemptions r JOIN redemption_codes c ON c.id = r.code_id
      JOIN redemption_batches b ON b.id = c.batch_id WHERE b.kind = 'balance'
  ) r
  FULL JOIN (SELECT * FROM ledger_entries WHERE ref_type = 'redemption' AND kind = 'redemption') l ON l.ref_id = r.ref_id
  WHERE r.ref_id IS NULL OR l.id IS NULL OR r.usd_micros <> l.amount_micros OR r.user_id <> l.user_id`

const subscriptionsSql = `
  SELECT r.user_id, format('redemption %s:%s has no subscription on its terms', r.code_id, r.user_id) AS message
  FROM redemptions r JOIN redemption_codes c ON c.id = r.code_id JOIN redemption_batches b ON b.id = c.batch_id
  LEFT JOIN user_subscriptions s ON s.id = r.subscription_id
  WHERE (b.kind = 'plan') <> (r.subscription_id IS NOT NULL) OR (b.kind = 'plan' AND (
    s.id IS NULL OR s.order_id IS NOT NULL OR s.user_id <> r.user_id OR ${differsFromSold("s", "b.terms")}))`

const usesSql = `
  SELECT NULL::bigint AS user_id, format('code %s of %s uses counts %s, redeemed %s times', c.id, c.uses_max, c.uses,
      count(r.id)) AS message
  FROM redemption_codes c JOIN redemption_batches b ON b.id = c.batch_id LEFT JOIN redemptions r ON r.code_id = c.id
  GROUP BY c.id, b.uses_max HAVING count(r.id) <> c.uses OR c.uses > c.uses_max OR c.uses_max <> b.uses_max`

/** Every check of redemption codes, in the snapshot of the ledger check. */
export const redemptionAudit = checkOf([["I4", creditsSql], ["I4", subscriptionsSql], ["I4", usesSql]])
