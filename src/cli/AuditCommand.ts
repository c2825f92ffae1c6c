/**
 * `realms audit`: proves the books; exits 1 when anything is off.
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { audit } from "../accounts/Audit.ts"
import { CommandFailed, failWith, jsonFlag, print } from "./Output.ts"

/** Below so many users the audit is done before a bar would be seen. */
const PROGRESS_USERS_MIN = 1_000

const BAR_CHARS = 30

const showProgress = (done: number, total: number): void => {
  if (!process.stderr.isTTY || total < PROGRESS_USERS_MIN) return
  const filled = Math.round((done / total) * BAR_CHARS)
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_CHARS - filled)}`
  process.stderr.write(`\r${bar} ${done}/${total} users${done >= total ? "\n" : ""}`)
}

export const AuditCommand = Command.make(
  "audit",
  { json: jsonFlag },
  Effect.fn(function*({ json }) {
    const report = yield* audit({ onProgress: showProgress }).pipe(Effect.mapError(failWith("the audit could not be made")))
    const problems = report.problems.map((problem) => ({
      invariant: problem.invariant,
      user_id: problem.userId,
      message: problem.message
    }))
    const size = `${report.users} users, ${report.usageEvents} calls, ${report.ledgerEntries} ledger entries`
    yield* print(
      json,
      {
        clean: problems.length === 0,
        users: report.users,
        usage_events: report.usageEvents,
        ledger_entries: report.ledgerEntries,
        problems
      },
      problems.length === 0
        ? `clean: ${size}`
        : [...problems.map((p) => `${p.invariant}${p.user_id === null ? "" : ` user ${p.user_id}`}: ${p.message}`), size].join("\n")
    )
    if (problems.length > 0) return yield* new CommandFailed({ message: `the audit found ${problems.length} problems` })
  })
).pipe(Command.withDescription("Prove the books over the live database"))
