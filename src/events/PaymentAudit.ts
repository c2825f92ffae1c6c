/**
 * The part of the ledger check about money in: every fulfilled order has one paid attempt, one event that was applied, and exactly
 * what was ordered - a credit in the ledger, or a subscription on its terms - and nothing in the books is without its order.
 */
import { checkOf } from "../accounts/AuditFindings.ts"
import { differsFromSold } from "../subscriptions/SoldTerms.ts"

const creditsSql = `
  SELECT coalesce(o.user_id, l.user_id) AS user_id, format('top-up order %s (%s) of %s micros has %s in the ledger',
      coalesce(o.id::text, l.ref_id), coalesce(o.state, 'not there'), coalesce(o.credit::text, 'no'),
      coalesce(l.amount_micros::text, 'nothing')) AS message
  FROM (SELECT t.id, t.user_id, t.state,
      CASE WHEN p.accepted THEN p.credited_micros ELSE t.credit_micros END AS credit
    FROM topup_orders t LEFT JOIN LATERAL (
      SELECT b.credited_micros, EXISTS (
          SELECT FROM payment_events e WHERE e.payment_id = b.id AND e.resolution = 'accepted') AS accepted
        FROM payments b JOIN payment_attempts a ON a.id = b.attempt_id
        WHERE a.order_id = t.id AND a.order_kind = 'topup' AND b.state = 'fulfilled') p ON true
    WHERE t.state IN ('paid', 'refunded', 'disputed')) o
  FULL JOIN (SELECT * FROM ledger_entries WHERE ref_type = 'topup_order' AND kind = 'topup') l ON l.ref_id = o.id::text
  WHERE o.id IS NULL OR l.id IS NULL OR o.credit IS DISTINCT FROM l.amount_micros OR o.user_id <> l.user_id`

const subscriptionsSql = `
  SELECT o.user_id, format('subscription order %s (%s) has no subscription on its terms', o.id, o.state) AS message
  FROM subscription_orders o LEFT JOIN user_subscriptions s ON s.id = o.subscription_id
  WHERE o.state IN ('active', 'refunded', 'disputed') AND (s.id IS NULL OR s.order_id IS DISTINCT FROM o.id
    OR s.user_id <> o.user_id OR ${differsFromSold("s", "o.terms")})
  UNION ALL
  SELECT s.user_id, format('subscription %s was given by order %s, which is %s', s.id, s.order_id,
      coalesce(o.state, 'not there'))
  FROM user_subscriptions s LEFT JOIN subscription_orders o ON o.id = s.order_id
  WHERE s.order_id IS NOT NULL AND (o.id IS NULL OR o.subscription_id IS DISTINCT FROM s.id
    OR o.state NOT IN ('active', 'refunded', 'disputed'))
  UNION ALL
  SELECT o.user_id, format('order %s is %s and its subscription is %s', o.id, o.state, s.status)
  FROM subscription_orders o JOIN user_subscriptions s ON s.id = o.subscription_id
  WHERE o.state = 'refunded' AND s.status = 'active' AND s.ends_at > now()`

const attemptsSql = `
  SELECT o.user_id, format('order %s is %s with %s paid attempts', o.id, o.state, count(a.id)) AS message
  FROM orders o LEFT JOIN payment_attempts a ON a.order_id = o.id AND a.state = 'paid'
  GROUP BY o.id, o.user_id, o.state
  HAVING count(a.id) <> CASE WHEN o.state IN ('paid', 'active', 'refunded', 'disputed') THEN 1 ELSE 0 END`

const eventsSql = `
  SELECT NULL::bigint AS user_id, format('attempt %s is paid without an event that was applied', a.id) AS message
  FROM payment_attempts a
  WHERE a.state = 'paid' AND NOT EXISTS (
    SELECT FROM payment_events e WHERE e.attempt_id = a.id AND e.fact = 'Paid'
      AND (e.outcome = 'applied' OR e.resolution = 'accepted'))
  UNION ALL
  SELECT NULL, format('event %s was applied to attempt %s, which is %s', e.id, a.id, a.state)
  FROM payment_events e JOIN payment_attempts a ON a.id = e.attempt_id
  WHERE e.fact = 'Paid' AND e.outcome = 'applied' AND a.state <> 'paid'
  UNION ALL
  SELECT NULL, format('event %s was received and has no outcome', id) FROM payment_events WHERE outcome = 'received'
  UNION ALL
  SELECT NULL, format('event %s waits for a payment that attempt %s has settled', e.id, a.id)
  FROM payment_events e JOIN payment_attempts a ON a.provider = e.provider AND a.payment_reference = e.payment_reference
  WHERE e.outcome = 'deferred'
  UNION ALL
  SELECT NULL, format('event %s in %s was applied to attempt %s in %s', e.id, e.currency, a.id, a.currency)
  FROM payment_events e JOIN payment_attempts a ON a.id = e.attempt_id
  WHERE e.fact = 'Paid' AND e.outcome = 'applied' AND e.currency <> a.currency`

const clawedBackSql = `
  SELECT p.credited_user_id AS user_id, format('payment %s had %s micros clawed back, the ledger says %s', p.id,
      p.debited_micros, coalesce(l.micros, 0)) AS message
  FROM payments p
  LEFT JOIN LATERAL (
    SELECT sum(t.owed_micros - t.amount_micros) AS micros FROM payment_events e
      JOIN ledger_entries t ON t.ref_type = 'payment_event' AND t.ref_id = e.id::text
        AND t.kind IN ('refund', 'refund_returned', 'dispute', 'dispute_returned')
      WHERE e.payment_id = p.id
  ) l ON true
  WHERE p.debited_micros <> coalesce(l.micros, 0)`

/** What root credited for a payment is in the ledger once, and the payment was used for nothing else. */
const creditedSql = `
  SELECT coalesce(p.credited_user_id, l.user_id) AS user_id, format('payment %s (%s) credited %s micros, the ledger has %s',
      coalesce(p.id::text, 'of event ' || l.ref_id), coalesce(p.state, 'not known'), coalesce(p.credited_micros::text, 'no'),
      coalesce(l.micros::text, 'nothing')) AS message
  FROM (SELECT * FROM payments WHERE state = 'credited') p
  FULL JOIN (SELECT e.payment_id, t.user_id, min(t.ref_id) AS ref_id, sum(t.amount_micros - t.owed_micros) AS micros
      FROM ledger_entries t LEFT JOIN payment_events e ON e.id::text = t.ref_id LEFT JOIN payments q ON q.id = e.payment_id
      WHERE t.ref_type = 'payment_event' AND (t.kind = 'payment_credit'
        OR t.kind = 'correction' AND e.resolution = 'credited' AND q.state <> 'credited')
      GROUP BY e.payment_id, t.user_id HAVING sum(t.amount_micros - t.owed_micros) <> 0) l
    ON l.payment_id = p.id AND l.user_id = p.credited_user_id
  WHERE p.id IS NULL OR l.micros IS NULL OR p.credited_micros <> l.micros`

/** One payment counts once: every paid attempt has its payment, and none of another identity has the same number by root's word. */
const paymentsSql = `
  SELECT NULL::bigint AS user_id, format('attempt %s is %s, and %s payments were fulfilled through it', a.id, a.state,
      count(p.id)) AS message
  FROM payment_attempts a LEFT JOIN payments p ON p.attempt_id = a.id AND p.state = 'fulfilled'
  GROUP BY a.id HAVING count(p.id) <> CASE WHEN a.state = 'paid' THEN 1 ELSE 0 END
  UNION ALL
  SELECT m.credited_user_id, format('payments %s and %s have the number %s, and both were used', m.id, p.id, p.payment_id)
  FROM payments m JOIN payments p ON p.payment_id = m.payment_id AND p.id <> m.id
  WHERE m.manual AND m.state = 'fulfilled' AND p.state = 'fulfilled' AND m.corrected_micros = 0 AND p.corrected_micros = 0
    AND NOT EXISTS (SELECT FROM payment_events e WHERE e.payment_id = p.id AND e.resolution = 'accepted')
  UNION ALL
  SELECT e.credited_user_id, format('event %s says that payment %s was refunded, and the payment is %s', e.id, p.id, p.state)
  FROM payment_events e JOIN payments p ON p.id = e.payment_id
  WHERE e.resolution = 'refunded' AND p.state IN ('fulfilled', 'credited') AND p.corrected_micros = 0`

/** What root gave back through a provider is known to the settlement, and no more was debited for a payment than came back of it. */
const refundsSql = `
  SELECT NULL::bigint AS user_id, format('refund %s is %s, and no event says so', r.id, r.state) AS message
  FROM payment_refunds r
  WHERE r.request_key IS NOT NULL AND r.state IN ('requires_action', 'succeeded') AND NOT EXISTS (
    SELECT FROM payment_events e WHERE e.payment_id = r.payment_id
      AND (e.subject = r.refund_id OR e.event_key = 'root:refund:' || r.id OR starts_with(e.event_key, 'root:refund:' || r.id || ':')))
  UNION ALL
  SELECT p.credited_user_id, format('payment %s had %s micros clawed back, its refunds and disputes make it %s', p.id,
      p.debited_micros, b.micros)
  FROM payments p, LATERAL (
    SELECT least(p.credited_micros - p.corrected_micros, floor(p.credited_micros::numeric * least(p.paid_minor,
        coalesce((SELECT sum(r.amount_minor) FROM payment_refunds r WHERE r.payment_id = p.id
          AND r.currency = p.currency AND r.state NOT IN ('failed', 'canceled')), 0)
        + coalesce((SELECT sum(d.taken_minor) FROM payment_disputes d WHERE d.payment_id = p.id
          AND d.currency = p.currency), 0)) / p.paid_minor)) AS micros) b
  WHERE p.credited_micros IS NOT NULL AND p.debited_micros <> b.micros`

/** Every check of money in, in the snapshot of the ledger check. */
export const paymentAudit = checkOf([
  ["I4", creditsSql],
  ["I4", subscriptionsSql],
  ["I4", attemptsSql],
  ["I4", creditedSql],
  ["I4", paymentsSql],
  ["I4", refundsSql],
  ["I5", eventsSql],
  ["I2", clawedBackSql]
])
