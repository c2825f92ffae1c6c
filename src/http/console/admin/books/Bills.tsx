/**
 * `/admin/bills/check`: a provider's file against the books, payment by payment. Nothing of the file is kept: what came of it is shown as
 * the answer to the form.
 */
import { Effect, FileSystem } from "effect"
import {
  BillCheck,
  type BillDifference,
  type BillEncoding,
  billEncodings,
  BillKind,
  type BillReport
} from "../../../../finance/BillCheck.ts"
import type { BillRefused } from "../../../../finance/FinanceError.ts"
import { type FormState, type Page, refuse } from "../../Answer.ts"
import { adminFormPage, pageForm } from "../../ConsoleRoute.ts"
import { readUpload } from "../../FormBody.ts"
import { askPage, headedPage } from "../../kit/Forms.tsx"
import { amountColumn, TableCard, textColumn } from "../../kit/List.tsx"
import { AdminLink, Badge, Figures, Notice, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import type { TextKey } from "../../text/Texts.ts"
import { UploadedForm } from "../../UploadedForm.ts"
import { minorText, plainWords } from "../payments/EventParts.tsx"

const path = "/admin/bills/check"

/** A larger file is for the command line or the API. */
const FILE_MIB_MAX = 64
const MIB = 1_048_576

const FIELDS_MAX = 10

const formPage = (context: UserContext, state: FormState): Page => {
  const say = sayOf(context, "books")
  return askPage({
    context,
    state,
    title: say("bill.title"),
    lead: say("bill.lead"),
    action: path,
    files: true,
    submit: say("bill.submit"),
    back: "/admin/statements",
    inputs: [
      {
        is: "radios",
        name: "provider",
        label: say("bill.provider"),
        required: true,
        options: [["stripe", "Stripe", say("bill.stripe")], ["epay", say("epay"), say("bill.epay")]]
      },
      {
        is: "file",
        name: "file",
        label: say("bill.file"),
        hint: say("bill.file.hint", { count: FILE_MIB_MAX }),
        accept: ".csv,text/csv",
        required: true
      },
      {
        is: "select",
        name: "encoding",
        label: say("bill.encoding"),
        hint: say("bill.encoding.hint"),
        options: [["", say("bill.encoding.auto")], ["utf-8", "UTF-8"], ["gb18030", "GB18030"]]
      }
    ]
  })
}

const results: States<BillDifference["result"], TextKey<"books">> = {
  different_amount: ["red", "bill.different"],
  missing_here: ["red", "bill.missing_here"],
  missing_there: ["orange", "bill.missing_there"]
}

const kinds: Readonly<Record<BillDifference["kind"], TextKey<"books">>> = {
  payment: "payment",
  refund: "refund",
  refund_returned: "cash.refunds_returned",
  dispute: "bill.dispute",
  dispute_returned: "cash.disputes_returned"
}

const Differences = ({ report, context }: { readonly context: PageContext; readonly report: BillReport }) => {
  const say = sayOf(context, "books")
  return (
    <TableCard<BillDifference>
      title={say("bill.differences")}
      items={report.differences}
      columns={[
        {
          title: say("bill.result"),
          cell: ({ result }) => <Badge tone={results[result][0]}>{say(results[result][1])}</Badge>
        },
        {
          title: say("bill.what"),
          cell: ({ id, kind }) => (
            <>
              <div>{say(kinds[kind])}</div>
              {kind === "payment"
                ? (
                  <AdminLink
                    context={context}
                    isText
                    class="break-anywhere"
                    href={`/admin/payments?${new URLSearchParams({ q: id })}`}
                  >
                    {id}
                  </AdminLink>
                )
                : <code class="break-anywhere">{id}</code>}
            </>
          )
        },
        { ...textColumn(say("bill.line"), ({ line }) => line ?? "–"), number: true, wide: true },
        amountColumn(
          say("bill.there"),
          ({ thereCurrency, thereMinor }) => minorText(context, thereMinor, thereCurrency)
        ),
        amountColumn(say("bill.here"), ({ hereCurrency, hereMinor }) => minorText(context, hereMinor, hereCurrency))
      ]}
    />
  )
}

const Categories = ({ report, context }: { readonly context: PageContext; readonly report: BillReport }) => {
  const say = sayOf(context, "books")
  return (
    <TableCard<BillReport["categories"][number]>
      class=""
      title={say("bill.categories")}
      items={report.categories}
      columns={[
        textColumn(say("bill.category"), ({ category }) => plainWords(category)),
        amountColumn(say("bill.records"), ({ records }) => context.formats.count(records)),
        amountColumn(say("bill.fee"), ({ currency, feeMinor }) => minorText(context, feeMinor, currency)),
        amountColumn(say("bill.net"), ({ currency, netMinor }) => minorText(context, netMinor, currency))
      ]}
    />
  )
}

const reportPage = (context: UserContext, report: BillReport): Page => {
  const say = sayOf(context, "books")
  const { count, time } = context.formats
  const { from, leftOut, records, results: found, to } = report
  const differing = found.different_amount + found.missing_here + found.missing_there
  return headedPage({
    context,
    title: say("bill.report"),
    lead: from === null || to === null
      ? say("bill.timeless")
      : say("bill.span", { from: time(from), to: time(to) }),
    actions: <a class="btn" href={path}>{say("bill.again")}</a>,
    children: (
      <>
        {differing === 0
          ? <Notice kind="success">{say("bill.agrees")}</Notice>
          : <Notice kind="warning">{say("bill.differs", { count: differing })}</Notice>}
        <Figures
          figures={[
            {
              label: say("bill.matched"),
              value: count(found.matched),
              hint: say("bill.of", { records: count(records), left: count(leftOut) })
            },
            { label: say("bill.different"), value: count(found.different_amount) },
            { label: say("bill.missing_here"), value: count(found.missing_here), hint: say("bill.missing_here.hint") },
            {
              label: say("bill.missing_there"),
              value: count(found.missing_there),
              hint: say("bill.missing_there.hint")
            }
          ]}
        />
        {report.differences.length < differing
          ? <p class="text-secondary">{say("bill.first", { count: report.differences.length })}</p>
          : null}
        <Differences context={context} report={report} />
        <Categories context={context} report={report} />
      </>
    )
  })
}

/** Why the file is refused, and where. */
const refusedText = (context: UserContext, { column, line, problem: { code, values } }: BillRefused): string => {
  const say = sayOf(context, "books")
  const kind = oneOf(BillKind.literals, values["kind"])
  const why = sayOf(context, "billProblem")(code, kind === undefined ? values : { ...values, kind: say(kinds[kind]) })
  if (line === null) return say("bill.refused", { why })
  return column === null
    ? say("bill.refused.line", { why, line: String(line) })
    : say("bill.refused.column", { why, line: String(line), column: String(column) })
}

const check = pageForm({
  read: readUpload({ bytesMax: FILE_MIB_MAX * MIB, fieldsMax: FIELDS_MAX }),
  show: (context, state) => Effect.succeed(formPage(context, state)),
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "books")
      const provider = oneOf(["stripe", "epay"], fields.get("provider"))
      const file = fields instanceof UploadedForm ? fields.files.get("file") : undefined
      const encoding: BillEncoding | undefined = oneOf(billEncodings, fields.get("encoding"))
      if (provider === undefined || file === undefined) {
        return yield* refuse({
          ...provider === undefined ? { provider: say("problem.choice") } : {},
          ...file === undefined ? { file: say("bill.file.none") } : {}
        })
      }
      const files = yield* FileSystem.FileSystem
      const report = yield* (yield* BillCheck).check({ provider, encoding, bytes: files.stream(file) })
      return reportPage(context, report)
    }).pipe(
      Effect.catchTags({
        BillRefused: (error) => refuse({ file: refusedText(context, error) }),
        BillUnstored: (error) =>
          Effect.andThen(
            Effect.logError("a bill cannot be compared", error),
            refuse({ form: sayOf(context, "books")("bill.room") }, 503)
          ),
        PlatformError: Effect.die
      })
    )
})

export const BillRoutes = adminFormPage(path, check)
