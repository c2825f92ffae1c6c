/**
 * `realms audit`: proves over the live database that the books hold, and exits with 1 when they do not. On a terminal a
 * large ledger shows its progress on standard error.
 */
import { Effect, type Layer, Stdio } from "effect"
import { Command } from "effect/cli"
import type { SqlClient } from "effect/sql"
import { audit, type AuditList, type AuditProblem, type AuditReport } from "../accounts/Audit.ts"
import { paymentAudit } from "../events/PaymentAudit.ts"
import { booksAudit } from "../finance/BooksAudit.ts"
import { redemptionAudit } from "../redemption/RedemptionAudit.ts"
import { failed } from "./CliFailure.ts"
import { counted, dollars, print, type Printable } from "./Output.ts"
import { bar, ERASE_LINE } from "./Progress.ts"

/** From so many users on an audit takes long enough for a progress bar. */
const PROGRESS_USERS_MIN = 2_000

/** The bar at `done` of `total` users. */
export const progressBar = (done: number, total: number): string =>
  `audit ${bar(done, total)} ${String(done).padStart(String(total).length)}/${total} users`

const showProgress = (done: number, total: number): void => {
  if (total < PROGRESS_USERS_MIN) return
  process.stderr.write(`${ERASE_LINE}${progressBar(done, total)}${done >= total ? ERASE_LINE : ""}`)
}

/** Problems of one invariant that are listed for people, at most; machines get all that were found. */
const PROBLEMS_LISTED_MAX = 20

const describeProblem = ({ invariant, message, userId }: AuditProblem): string =>
  `  ${invariant} ${userId === null ? "" : `user ${userId}: `}${message}`

/** The problems of each invariant: how many, then a line for each of the first. */
const describeProblems = (problems: ReadonlyArray<AuditProblem>): ReadonlyArray<string> =>
  Array.from(Map.groupBy(problems, ({ invariant }) => invariant))
    .sort(([one], [other]) => one.localeCompare(other))
    .flatMap(([invariant, broken]) => {
      const lines = broken.slice(0, PROBLEMS_LISTED_MAX).map(describeProblem)
      const unlisted = broken.length - lines.length
      if (unlisted > 0) lines.push(`  and ${counted(unlisted, "more", "more")}: \`realms audit --json\` lists them`)
      lines.unshift(`${invariant}: ${counted(broken.length, "problem")}`)
      return lines
    })

/** A list of remarks that are no problems of the books: their number, then a line for each of the newest. Empty without remarks. */
const describeList = <A>(title: string, { count, newest }: AuditList<A>, line: (item: A) => string) =>
  count === 0 ? [] : [
    newest.length < count ? `${title}: ${count}, the newest ${newest.length}:` : `${title}: ${count}`,
    ...newest.map((item) => `  ${line(item)}`)
  ]

/** The report for people: what was looked at, the problems of each invariant, then what should be looked at besides. */
export const describeReport = (report: AuditReport): string => {
  const seen = [
    counted(report.users, "user"),
    counted(report.usageEvents, "call"),
    counted(report.ledgerEntries, "ledger entry", "ledger entries")
  ].join(", ")
  return [
    report.problems.length === 0 ? `clean: ${seen}` : `${counted(report.problems.length, "problem")} in ${seen}`,
    ...describeProblems(report.problems),
    ...describeList(
      "flagged usage",
      report.flagged,
      ({ costMicros, flags, id, userId }) =>
        `user ${userId}: call ${id} (${flags ?? "flagged"}) cost ${dollars(costMicros)}`
    ),
    ...describeList("debts", report.debts, ({ owedMicros, userId }) => `user ${userId}: ${dollars(owedMicros)}`),
    ...describeList(
      "costs above holds",
      report.aboveHolds,
      (call) =>
        `user ${call.userId}: call ${call.id} held ${dollars(call.reservedMicros)}, cost ${
          dollars(call.costMicros)
        }, ` +
        `charged ${dollars(call.chargedMicros)}`
    )
  ].join("\n")
}

/** The report for machines. */
export const reportFields = (report: AuditReport): Printable => ({
  clean: report.problems.length === 0,
  users: report.users,
  usage_events: report.usageEvents,
  ledger_entries: report.ledgerEntries,
  problems: report.problems.map(({ invariant, message, userId }) => ({ invariant, user_id: userId, message })),
  flagged_usage: {
    count: report.flagged.count,
    newest: report.flagged.newest.map((call) => ({
      id: call.id,
      user_id: call.userId,
      usage_flags: call.flags,
      excess_tokens: call.excessTokens,
      cost_micros: call.costMicros
    }))
  },
  debts: {
    count: report.debts.count,
    newest: report.debts.newest.map(({ owedMicros, userId }) => ({ user_id: userId, owed_micros: owedMicros }))
  },
  costs_above_holds: {
    count: report.aboveHolds.count,
    newest: report.aboveHolds.newest.map((call) => ({
      id: call.id,
      user_id: call.userId,
      reserved_micros: call.reservedMicros,
      cost_micros: call.costMicros,
      charged_micros: call.chargedMicros
    }))
  }
})

/** Runs the check and prints its report; fails where the books do not hold. */
export const runAudit = Effect.gen(function*() {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const report = yield* audit({
    checks: [paymentAudit, redemptionAudit, booksAudit],
    ...((yield* stderrIsTerminal) ? { onProgress: showProgress } : {})
  })
  yield* print(reportFields(report), describeReport(report))
  if (report.problems.length > 0) {
    return yield* failed(
      `the books do not hold (${counted(report.problems.length, "problem")}): stop selling and look into them`
    )
  }
})

export const auditCommand = <E, R>(services: Layer.Layer<SqlClient.SqlClient, E, R>) =>
  Command.make("audit", {}, () => runAudit).pipe(
    Command.provide(services),
    Command.withDescription(
      "Check the ledger: every balance is the sum of its rows; exits with 1 where the books are wrong"
    )
  )
