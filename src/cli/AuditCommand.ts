/**
 * `realms audit`: proves over the live database that the books hold, and exits with 1 when they do not. On a terminal a
 * large ledger shows its progress on standard error.
 */
import { Effect, type Layer, Stdio } from "effect"
import { Command } from "effect/cli"
import type { SqlClient } from "effect/sql"
import { audit, type AuditProblem, type AuditReport } from "../accounts/Audit.ts"
import { paymentAudit } from "../settlement/PaymentAudit.ts"
import { redemptionAudit } from "../settlement/RedemptionAudit.ts"
import { failed } from "./CliFailure.ts"
import { print, type Printable } from "./Output.ts"

/** From so many users on an audit takes long enough for a progress bar. */
const PROGRESS_USERS_MIN = 2_000

const PROGRESS_WIDTH = 30

/** The bar at `done` of `total`, as wide at the start as at the end. */
export const progressBar = (done: number, total: number): string => {
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = Math.floor(share * PROGRESS_WIDTH)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const counter = String(done).padStart(String(total).length)
  return `audit [${"#".repeat(filled)}${".".repeat(PROGRESS_WIDTH - filled)}] ${percent} ${counter}/${total} users`
}

const ERASE_LINE = "\r\u001B[K"

const showProgress = (done: number, total: number): void => {
  if (total < PROGRESS_USERS_MIN) return
  process.stderr.write(`${ERASE_LINE}${progressBar(done, total)}${done >= total ? ERASE_LINE : ""}`)
}

const describeProblem = ({ invariant, message, userId }: AuditProblem): string =>
  `${invariant} ${userId === null ? "" : `user ${userId}: `}${message}`

/** The report for people: what was looked at, then a line for each problem. */
export const describeReport = (report: AuditReport): string => {
  const seen = `${report.users} users, ${report.usageEvents} calls, ${report.ledgerEntries} ledger entries`
  return [
    report.problems.length === 0 ? `clean: ${seen}` : `${report.problems.length} problems in ${seen}`,
    ...report.problems.map(describeProblem)
  ].join("\n")
}

/** The report for machines. */
export const reportFields = (report: AuditReport): Printable => ({
  clean: report.problems.length === 0,
  users: report.users,
  usage_events: report.usageEvents,
  ledger_entries: report.ledgerEntries,
  problems: report.problems.map(({ invariant, message, userId }) => ({ invariant, user_id: userId, message }))
})

const runAudit = Effect.gen(function*() {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const report = yield* audit({
    checks: [paymentAudit, redemptionAudit],
    ...((yield* stderrIsTerminal) ? { onProgress: showProgress } : {})
  })
  yield* print(reportFields(report), describeReport(report))
  if (report.problems.length > 0) {
    return yield* failed(`the books do not hold (${report.problems.length} problems): stop selling and look into them`)
  }
})

export const auditCommand = <E, R>(services: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Command.make("audit", {}, () => runAudit).pipe(
    Command.provide(services),
    Command.withDescription("Prove that every balance is the sum of its rows; exits with 1 on drift")
  )
