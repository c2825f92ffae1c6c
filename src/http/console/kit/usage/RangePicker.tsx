/**
 * The choice of a period: some by one click, any other by its days. A period that cannot be is said so.
 */
import { emptyForm } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, Notice } from "../../ui/Forms.tsx"
import { RANGE_DAYS_SHOWN_MAX, type UsageRange } from "./UsageRange.ts"

interface RangePickerProps {
  readonly context: PageContext
  readonly range: UsageRange
  /** Of the page that shows the period. */
  readonly path: string
  /** Its query, with these parts changed or, where empty, left out. */
  readonly queryOf: (changes: Readonly<Record<string, string>>) => string
  /** What the page goes on asking for when the days are typed. */
  readonly kept?: Readonly<Record<string, string>>
}

export const RangePicker = ({ kept = {}, path, queryOf, range, context }: RangePickerProps) => {
  const say = sayOf(context, "usage")
  const presets = [
    ["today", say("range.today")],
    ["7d", say("range.7")],
    ["30d", say("range.30")],
    ["90d", say("range.90d")]
  ] as const
  return (
    <>
      <div class="d-flex flex-wrap align-items-start gap-2 mb-3">
        <nav class="btn-group" aria-label={say("range")}>
          {presets.map(([name, text]) => (
            <a
              key={name}
              class={`btn ${range.name === name ? "btn-primary" : ""}`}
              href={`${path}?${queryOf({ range: name, from: "", to: "" })}`}
              aria-current={range.name === name ? "true" : undefined}
            >
              {text}
            </a>
          ))}
        </nav>
        <details class="range-custom" open={range.name === "custom"}>
          <summary class="btn">{say("range.custom")}</summary>
          <form method="get" action={path} class="range-form">
            <input type="hidden" name="range" value="custom" />
            {Object.entries(kept).filter(([, value]) => value !== "").map(([name, value]) => (
              <input key={name} type="hidden" name={name} value={value} />
            ))}
            <Field state={emptyForm} name="from" type="date" label={say("from")} initial={range.from} />
            <Field state={emptyForm} name="to" type="date" label={say("to")} initial={range.to} />
            <button class="btn btn-primary" type="submit">{say("show")}</button>
          </form>
        </details>
      </div>
      {range.isRefused ? <Notice kind="warning">{say("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice> : null}
    </>
  )
}
