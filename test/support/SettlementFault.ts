/**
 * Faults inside PostgreSQL at a chosen step of the settlement: a trigger that ends its own backend or raises an error, so many
 * times and then no more. How often it struck is counted by a sequence, which no rollback takes back.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/** The settlement's writes in their order, and its COMMIT. */
export const topupSteps = [
  "INSERT ON payment_events",
  "UPDATE ON payment_attempts",
  "UPDATE ON topup_orders",
  "INSERT ON ledger_entries",
  "UPDATE ON user_balances",
  "UPDATE ON payment_events",
  "COMMIT"
] as const

/** Those that only a plan has. */
export const planSteps = [
  "UPDATE ON subscription_orders",
  "INSERT ON user_subscriptions",
  "COMMIT"
] as const

export type FaultStep = typeof topupSteps[number] | typeof planSteps[number]

/** `kill` ends the backend; any other is the SQLSTATE to raise. */
export type Fault = "kill" | "40P01" | "40001"

/** A deferred constraint trigger runs when everything is written, inside COMMIT. */
const triggerOf = (step: FaultStep): string =>
  step === "COMMIT"
    ? "CONSTRAINT TRIGGER test_fault AFTER INSERT ON payment_events DEFERRABLE INITIALLY DEFERRED"
    : `TRIGGER test_fault BEFORE ${step}`

const install = (sql: SqlClient.SqlClient, fault: Fault, step: FaultStep, times: number) =>
  Effect.gen(function*() {
    yield* sql.unsafe("CREATE SEQUENCE test_fault_reached")
    yield* sql.unsafe(`CREATE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('test_fault_reached') <= ${times} THEN
          IF '${fault}' = 'kill' THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
          ELSE
            RAISE EXCEPTION 'raised by the test' USING ERRCODE = '${fault === "kill" ? "XX000" : fault}';
          END IF;
        END IF;
        RETURN NEW;
      END $$`)
    yield* sql.unsafe(`CREATE ${triggerOf(step)} FOR EACH ROW EXECUTE FUNCTION test_fault()`)
  })

const uninstall = (sql: SqlClient.SqlClient) =>
  Effect.gen(function*() {
    yield* sql.unsafe("DROP FUNCTION test_fault CASCADE")
    yield* sql.unsafe("DROP SEQUENCE test_fault_reached")
  })

/** Runs something with a fault at a step, the first `times` times; answers what came of it and how often the step was reached. */
export const withFault = <A, E, R>(
  sql: SqlClient.SqlClient,
  { fault, step, times }: { readonly fault: Fault; readonly step: FaultStep; readonly times: number },
  effect: Effect.Effect<A, E, R>
) =>
  Effect.acquireUseRelease(
    install(sql, fault, step, times),
    () =>
      Effect.gen(function*() {
        const answer = yield* effect
        const [row] = yield* sql<{ reached: bigint }>`
          SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS reached FROM test_fault_reached`
        return { answer, reached: Number(row?.reached ?? 0n) }
      }),
    () => Effect.orDie(uninstall(sql))
  )
