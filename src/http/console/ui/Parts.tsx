/**
 * The pieces that pages are put together from: headings, cards, figures, tables that scroll by themselves on a phone, bars,
 * and text that can be copied.
 */
import type { ComponentChildren } from "preact"
import type { PageContext } from "../PageContext.ts"
import { Icon, type IconName } from "./Icon.tsx"

/** The heading of a page, with what can be done on the right. */
export const PageHeading = (
  { children, lead, title }: {
    readonly title: string
    readonly lead?: ComponentChildren
    readonly children?: ComponentChildren
  }
) => (
  <div class="page-header d-print-none mb-3">
    <div class="page-heading">
      <div class="page-heading-text">
        <h1 class="page-title">{title}</h1>
        {lead === undefined ? null : <div class="text-secondary mt-1">{lead}</div>}
      </div>
      {children === undefined ? null : <div class="d-print-none">{children}</div>}
    </div>
  </div>
)

export const Card = (
  { actions, children, class: className, title }: {
    readonly title?: string
    readonly actions?: ComponentChildren
    readonly children: ComponentChildren
    readonly class?: string
  }
) => (
  <section class={`card ${className ?? ""}`}>
    {title === undefined ? null : (
      <div class="card-header">
        <h2 class="card-title">{title}</h2>
        {actions === undefined ? null : <div class="card-actions">{actions}</div>}
      </div>
    )}
    {children}
  </section>
)

/** One figure with its name. */
export const Figure = (
  { hint, icon, label, value }: {
    readonly label: string
    readonly value: ComponentChildren
    readonly hint?: ComponentChildren
    readonly icon?: IconName
  }
) => (
  <div class="card h-100">
    <div class="card-body">
      <div class="d-flex align-items-center">
        <div class="subheader">{label}</div>
        {icon === undefined ? null : (
          <div class="ms-auto text-secondary">
            <Icon name={icon} />
          </div>
        )}
      </div>
      <div class="h1 mb-0 mt-2 figure-value">{value}</div>
      {hint === undefined ? null : <div class="text-secondary mt-1">{hint}</div>}
    </div>
  </div>
)

export interface Column {
  readonly title: string
  /** Numbers are set to the right. */
  readonly number?: boolean
  /** Left out on narrow screens. */
  readonly wide?: boolean
}

const cellClass = ({ number, wide }: Column): string =>
  `${number === true ? "text-end" : ""} ${wide === true ? "d-none d-md-table-cell" : ""}`

/** A table with a name for those who cannot see where it stands; scrolls sideways rather than widening the page. */
export const DataTable = (
  { caption, columns, rows }: {
    readonly caption: string
    readonly columns: ReadonlyArray<Column>
    readonly rows: ReadonlyArray<ReadonlyArray<ComponentChildren>>
  }
) => (
  <div class="table-responsive" tabIndex={0} role="region" aria-label={caption}>
    <table class="table table-vcenter card-table">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => <th key={column.title} scope="col" class={cellClass(column)}>{column.title}</th>)}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {row.map((cell, index) => <td key={index} class={cellClass(columns[index] ?? { title: "" })}>{cell}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)

/** Said where there is nothing yet, with what to do about it. */
export const Nothing = (
  { action, icon, text, title }: {
    readonly icon: IconName
    readonly title: string
    readonly text?: string
    readonly action?: ComponentChildren
  }
) => (
  <div class="empty">
    <div class="empty-icon text-secondary">
      <Icon name={icon} class="icon-lg" />
    </div>
    <p class="empty-title">{title}</p>
    {text === undefined ? null : <p class="empty-subtitle text-secondary">{text}</p>}
    {action === undefined ? null : <div class="empty-action">{action}</div>}
  </div>
)

/** A text with a button that copies it, where scripts run; it can be selected anywhere. */
export const Copyable = (
  { copied, id, label, text }: {
    readonly id: string
    readonly text: string
    /** What the button says, and what it says after. */
    readonly label: string
    readonly copied: string
  }
) => (
  <div class="copyable">
    <pre id={id} class="copyable-text" tabIndex={0}><code>{text}</code></pre>
    <button type="button" class="btn btn-sm copyable-button" data-copy={id} data-copied={copied} hidden>
      <Icon name="copy" />
      <span>{label}</span>
    </button>
  </div>
)

export type Tone = "green" | "blue" | "yellow" | "red" | "secondary" | "orange" | "purple"

export const Badge = ({ children, tone }: { readonly tone: Tone; readonly children: ComponentChildren }) => (
  <span class={`badge bg-${tone}-lt`}>{children}</span>
)

/** An amount of USD micros, rounded to be read at a glance; its title says it exactly. */
export const Usd = ({ context, micros }: { readonly context: PageContext; readonly micros: bigint }) => {
  const exact = context.formats.usd(micros)
  const rounded = context.formats.usdRounded(micros)
  return exact === rounded ? <>{exact}</> : <span title={exact}>{rounded}</span>
}

/** A moment, to be read in the visitor's zone and by machines. */
export const Moment = ({ at, context }: { readonly context: PageContext; readonly at: Date }) => (
  <time dateTime={at.toISOString()}>{context.formats.time(at)}</time>
)

const PERCENT = 10_000n

/** A share of a whole in percent, cut to two decimals and to 100. */
const percentOf = (share: bigint, whole: bigint): number => {
  if (whole <= 0n) return 0
  const hundredths = (share * PERCENT) / whole
  return Number(hundredths > PERCENT ? PERCENT : hundredths) / 100
}

/** How full something is: what is used, what is held on top of it, and the rest. Drawn without a style of its own. */
export const Meter = (
  { held, label, limit, used }: {
    readonly label: string
    readonly used: bigint
    readonly held: bigint
    readonly limit: bigint
  }
) => {
  const usedPercent = percentOf(used, limit)
  const bothPercent = percentOf(used + held, limit)
  return (
    <svg
      class={`meter ${bothPercent >= 100 ? "meter-full" : bothPercent >= 80 ? "meter-high" : ""}`}
      role="img"
      aria-label={label}
      width="100%"
      height="8"
    >
      <rect class="meter-rest" width="100%" height="8" rx="4" />
      <rect class="meter-held" width={`${bothPercent}%`} height="8" rx="4" />
      <rect class="meter-used" width={`${usedPercent}%`} height="8" rx="4" />
    </svg>
  )
}
