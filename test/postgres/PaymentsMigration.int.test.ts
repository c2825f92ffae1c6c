/** What the migration to one row a payment makes of payments, attempts and events of the time before it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { audit } from "../../src/accounts/Audit.ts"
import { paymentAudit } from "../../src/events/PaymentAudit.ts"
import { runMigrations } from "../../src/postgres/Migrations.ts"
import { migrateTo } from "../support/MigrateTo.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const PAYMENTS = 11

const REFUNDS = 12

const BOOKS = 13

/** A paid top-up by EPay, one completed by root, an exception that root credited, one that waits, one marked as refunded. */
const books = `
  INSERT INTO users (email) VALUES ('ada@example.com');
  INSERT INTO user_balances (user_id, usd_micros) VALUES (1, 2800000);
  INSERT INTO topup_orders (id, user_id, amount_fen, credit_micros, state, expires_at, settled_at, credit_usd_per_cny)
    VALUES (1, 1, 1000, 1400000, 'paid', now(), now(), '0.14'), (2, 1, 1000, 1400000, 'paid', now(), now(), '0.14'),
      (3, 1, 1000, 1400000, 'pending', now(), NULL, '0.14');
  INSERT INTO payment_attempts (order_kind, order_id, provider, amount_minor, currency, merchant_reference, payment_reference,
      state, merchant, debited_micros, completed_by)
    VALUES ('topup', 1, 'epay', 1000, 'cny', 'topup_1_a', 'T1', 'paid', '1001', 1400, NULL),
      ('topup', 2, 'outside', 1000, 'cny', 'topup_2_b', 'cash 7', 'paid', '', 0, 'user:1'),
      ('topup', 3, 'stripe', 1000, 'cny', 'topup_3_c', NULL, 'open', 'acct', 0, NULL);
  INSERT INTO payment_events (provider, event_key, kind, fact, attempt_id, outcome, payment_reference, merchant_reference,
      amount_minor, currency, resolution, resolution_note, resolved_by, resolved_at, credited_user_id, credited_micros)
    VALUES ('epay', 'pay.example.com:8443:1001:T1:TRADE_SUCCESS', 'k', 'Paid', 1, 'applied', 'T1', 'topup_1_a', 1000, 'cny',
        NULL, NULL, NULL, NULL, NULL, NULL),
      ('epay', 'refund', 'k', 'Refunded', 1, 'applied', 'T1', NULL, 1, 'cny', NULL, NULL, NULL, NULL, NULL, NULL),
      ('outside', 'root:order:2', 'k', 'Paid', 2, 'applied', 'cash 7', 'topup_2_b', 1000, 'cny', NULL, NULL, NULL, NULL,
        NULL, NULL),
      ('epay', 'pay.example.com:1001:T4:TRADE_SUCCESS', 'k', 'Paid', 1, 'exception', 'T4', 'topup_1_a', 1000, 'cny',
        'credited', 'n', 'user:1', now(), 1, 1400),
      ('stripe', 'evt_5', 'k', 'Paid', NULL, 'exception', 'pi_5', 'topup_3_c', 994, 'cny', NULL, NULL, NULL, NULL, NULL, NULL),
      ('stripe', 'evt_6', 'k', 'Paid', NULL, 'exception', 'pi_6', NULL, 5, 'cny', 'refunded', 'n', 'user:1', now(), NULL, NULL),
      ('stripe', 'evt_7', 'k', 'DisputeOpened', NULL, 'parked', 'pi_7', NULL, 5, 'cny', NULL, NULL, NULL, NULL, NULL, NULL);
  UPDATE payment_events SET subject = 'dp_7' WHERE event_key = 'evt_7';
  INSERT INTO topup_orders (id, user_id, amount_fen, credit_micros, state, expires_at, settled_at, credit_usd_per_cny)
    VALUES (4, 1, 1000, 1400000, 'paid', now(), now(), '0.14');
  INSERT INTO payment_attempts (order_kind, order_id, provider, amount_minor, currency, merchant_reference, payment_reference,
      state, merchant, debited_micros)
    VALUES ('topup', 4, 'stripe', 1000, 'cny', 'topup_4_d', 'pi_8', 'paid', 'acct', 280000);
  INSERT INTO payment_events (provider, event_key, kind, fact, attempt_id, outcome, payment_reference, amount_minor, currency,
      at_seconds, subject, won)
    VALUES ('stripe', 'evt_8', 'k', 'Paid', 4, 'applied', 'pi_8', 1000, 'cny', 10, NULL, NULL),
      ('stripe', 'evt_9', 'k', 'RefundMade', 4, 'applied', 'pi_8', 300, 'cny', 20, 're_8', NULL),
      ('stripe', 'evt_10', 'k', 'Refunded', 4, 'applied', 'pi_8', 500, 'cny', 21, NULL, NULL),
      ('stripe', 'evt_14', 'k', 'RefundMade', 4, 'applied', 'pi_8', 100, 'cny', 22, 're_9', NULL),
      ('stripe', 'evt_11', 'k', 'RefundFailed', 4, 'applied', 'pi_8', 300, 'cny', 30, 're_8', NULL),
      ('stripe', 'evt_12', 'k', 'DisputeOpened', 4, 'applied', 'pi_8', 100, 'cny', 40, 'dp_8', NULL),
      ('stripe', 'evt_13', 'k', 'DisputeClosed', 4, 'applied', 'pi_8', 100, 'cny', 50, 'dp_8', true);
  INSERT INTO refund_requests (request_key, attempt_id, order_id, amount_minor, note, requested_by, state, provider_refund)
    VALUES ('key-8', 4, 4, 300, 'n', 'user:1', 'done', 're_8'), ('key-9', 4, 4, 100, 'n', 'user:1', 'unknown', NULL);
  INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor)
    VALUES (1, 'topup', 1400000, 'topup_order', '4', 'system'), (1, 'refund', -280000, 'payment_event', '10', 'system');
  UPDATE user_balances SET usd_micros = usd_micros + 1120000;
  INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor)
    VALUES (1, 'topup', 1400000, 'topup_order', '1', 'system'), (1, 'topup', 1400000, 'topup_order', '2', 'system'),
      (1, 'refund', -1400, 'payment_event', '2', 'system'), (1, 'payment_credit', 1400, 'payment_event', '4', 'user:1');
  UPDATE payment_events SET received_at = '2026-01-05T00:00:00Z';`

describe("the migration to one row a payment", () => {
  it.effect("keeps what was decided on every payment, and the books agree", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* migrateTo(PAYMENTS - 1)
      for (const statement of books.split(";\n")) yield* sql.unsafe(statement)
      yield* migrateTo(PAYMENTS)
      const payments = yield* sql`
        SELECT provider, merchant_scope, payment_id, state, manual, paid_minor, attempt_id, credited_micros, debited_micros
          FROM payments ORDER BY payment_id`
      assert.deepStrictEqual(payments.map((row) => Object.values(row)), [
        ["epay", "pay.example.com:8443|1001", "T1", "fulfilled", false, 1000n, 1n, 1_400_000n, 1_400n],
        ["epay", "pay.example.com|1001", "T4", "credited", false, 1000n, 1n, 1_400n, 0n],
        ["manual", "", "cash 7", "fulfilled", true, 1000n, 2n, 1_400_000n, 0n],
        ["stripe", "", "pi_5", "in_review", false, 994n, 3n, null, 0n],
        ["stripe", "", "pi_6", "refunded", false, 5n, null, null, 0n],
        ["stripe", "", "pi_8", "fulfilled", false, 1000n, 4n, 1_400_000n, 280_000n]
      ])
      const events = yield* sql<{ outcome: string; payment: string | null }>`
        SELECT e.outcome, p.payment_id AS payment FROM payment_events e LEFT JOIN payments p ON p.id = e.payment_id
          ORDER BY e.id`
      assert.deepStrictEqual(events.map(({ outcome, payment }) => [outcome, payment]), [
        ["applied", "T1"],
        ["applied", "T1"],
        ["applied", "cash 7"],
        ["needs_review", "T4"],
        ["needs_review", "pi_5"],
        ["needs_review", "pi_6"],
        ["deferred", null],
        ...Array.from({ length: 7 }, () => ["applied", "pi_8"])
      ])
      const gateways = yield* sql<{ gateway: string }>`SELECT gateway FROM payment_attempts ORDER BY id`
      assert.deepStrictEqual(gateways.map(({ gateway }) => gateway), ["pay.example.com:8443", "", "", ""])
      yield* migrateTo(REFUNDS)
      const refunds = yield* sql`
        SELECT r.provider, r.payment_reference, p.payment_id, r.refund_id, r.amount_minor, r.state, r.request_key
          FROM payment_refunds r LEFT JOIN payments p ON p.id = r.payment_id ORDER BY r.id`
      assert.deepStrictEqual(refunds.map((row) => Object.values(row)), [
        ["stripe", "pi_8", "pi_8", "re_8", 300n, "failed", "key-8"],
        ["stripe", "pi_8", "pi_8", "re_9", 100n, "succeeded", "key-9"],
        ["epay", "T1", "T1", null, 1n, "succeeded", null],
        ["stripe", "pi_8", "pi_8", null, 100n, "succeeded", null]
      ])
      const disputes =
        yield* sql`SELECT payment_reference, dispute_id, status, taken_minor FROM payment_disputes ORDER BY id`
      assert.deepStrictEqual(disputes.map((row) => Object.values(row)), [
        ["pi_7", "dp_7", "needs_response", 5n],
        ["pi_8", "dp_8", "won", 0n]
      ])
      yield* migrateTo(BOOKS)
      const movements = yield* sql`
        SELECT m.kind, m.provider, m.amount_minor, p.payment_id FROM cash_movements m LEFT JOIN payments p ON p.id = m.payment_id
          ORDER BY m.id`
      assert.deepStrictEqual(movements.map((row) => Object.values(row)), [
        ["payment", "epay", 1000n, "T1"],
        ["payment", "epay", 1000n, "T4"],
        ["payment", "stripe", 994n, "pi_5"],
        ["payment", "stripe", 5n, "pi_6"],
        ["payment", "stripe", 1000n, "pi_8"],
        ["manual", "manual", 1000n, "cash 7"],
        ["in_review", "stripe", 994n, "pi_5"],
        ["refund_returned", "stripe", 300n, "pi_8"],
        ["refund", "epay", -1n, "T1"],
        ["refund", "stripe", -100n, "pi_8"],
        ["refund", "stripe", -300n, "pi_8"],
        ["refund", "stripe", -100n, "pi_8"],
        ["dispute", "stripe", -5n, null]
      ])
      // Each on the day on which the event came in that told of it, and what root asked for on that of its request.
      const dates = yield* sql<{ kind: string; told: boolean }>`
        SELECT kind, bool_and(booked_at = '2026-01-05T00:00:00Z') AS told FROM cash_movements
          WHERE refund_id IS NULL OR refund_id IN (SELECT id FROM payment_refunds WHERE request_key IS NULL)
          GROUP BY kind ORDER BY kind`
      assert.deepStrictEqual(dates.map(({ kind, told }) => [kind, told]), [
        ["dispute", true],
        ["in_review", true],
        ["manual", true],
        ["payment", true],
        ["refund", true]
      ])
      yield* runMigrations
      const { problems } = yield* audit({ checks: [paymentAudit] })
      assert.deepStrictEqual(problems.map(({ invariant, message }) => `${invariant} ${message}`), [])
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))
})
