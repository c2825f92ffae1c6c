/**
 * A sheet of paper on a page, which prints well: the same words that its PDF has.
 */
import type { Sheet } from "../../../platform/Sheet.ts"
import { Card, Facts, Small } from "./Parts.tsx"

export const SheetView = ({ sheet: { columns, facts, footer, lines, parties, total } }: { readonly sheet: Sheet }) => (
  <Card>
    <div class="card-body">
      <div class="row g-3">
        {parties.map(({ lines, title }) => (
          <div key={title} class="col-sm-6">
            <div class="subheader mb-1">{title}</div>
            {lines.map((line, at) => <div key={at} class="break-anywhere">{line}</div>)}
          </div>
        ))}
      </div>
    </div>
    <div class="card-body border-top">
      <Facts facts={facts} />
    </div>
    <table class="table card-table mb-0">
      <thead>
        <tr>
          <th scope="col">{columns[0]}</th>
          <th scope="col" class="text-end">{columns[1]}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ amount, note, text }, at) => (
          <tr key={at}>
            <td class="break-anywhere">
              {text}
              <Small>{note}</Small>
            </td>
            <td class="text-end nowrap">{amount}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr class="fw-bold">
          <th scope="row">{total[0]}</th>
          <td class="text-end nowrap">{total[1]}</td>
        </tr>
      </tfoot>
    </table>
    {footer === "" ? null : <div class="card-footer text-secondary">{footer}</div>}
  </Card>
)
