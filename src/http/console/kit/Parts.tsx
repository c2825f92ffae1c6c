/**
 * The pieces that pages are put together from: headings, cards, facts, figures, badges, notices, links, and text that can be copied.
 */
import { type ComponentChildren, type ComponentProps, Fragment } from "preact"
import { mayOpen, type PageContext } from "../PageContext.ts"
import type { Say } from "../../../platform/Messages.ts"
import { Icon, type IconName } from "./Icon.tsx"

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
    readonly title?: string | undefined
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

export const Figure = (
  { hint, icon, label, value }: {
    readonly label: string
    readonly value: ComponentChildren
    readonly hint?: ComponentChildren
    readonly icon?: IconName
  }
) => (
  <div class="card h-100">
    <div class="card-body figure-body">
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

/** A line in small print below another one, where there is something to say. */
export const Small = ({ children }: { readonly children: ComponentChildren }) =>
  children === undefined || children === "" ? null : <div class="text-secondary small break-anywhere">{children}</div>

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

interface BalanceLinkProps {
  readonly context: PageContext
  readonly micros: bigint
  /** It takes the place of the one in the bar, in an answer to htmx. */
  readonly isNews?: boolean
}

/** The balance in the bar at the top of every page. */
export const BalanceLink = ({ isNews = false, micros, context }: BalanceLinkProps) => (
  <a id="balance" class="console-balance" href="/ledger" {...(isNews ? { "hx-swap-oob": "true" } : {})}>
    <span class="text-secondary d-none d-sm-inline">{context.say("nav.balance")}</span>
    <strong>
      <Usd context={context} micros={micros} />
    </strong>
  </a>
)

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

export const Panel = ({ children, ...card }: ComponentProps<typeof Card>) => (
  <Card {...card}>
    <div class="card-body">{children}</div>
  </Card>
)

/** A part that is null is left out. */
export type Cell = readonly [width: string, content: ComponentChildren]

export const Grid = ({ cells, class: more = "" }: { readonly cells: ReadonlyArray<Cell>; readonly class?: string }) =>
  cells.length === 0 ? null : (
    <div class={`row g-3 ${more}`}>
      {cells.map(([width, content], at) => content === null ? null : <div key={at} class={width}>{content}</div>)}
    </div>
  )

export const Figures = ({ figures }: { readonly figures: ReadonlyArray<ComponentProps<typeof Figure>> }) => (
  <div class="row row-cards mb-3">
    {figures.map((figure) => (
      <div key={figure.label} class="col-6 col-lg">
        <Figure {...figure} />
      </div>
    ))}
  </div>
)

/** A name and a value; null where there is nothing to say. */
export type Fact = readonly [name: string, value: ComponentChildren] | null

export const Facts = (
  { class: className = "mb-0", facts }: { readonly facts: ReadonlyArray<Fact>; readonly class?: string }
) => (
  <dl class={`facts ${className}`}>
    {facts.map((fact) =>
      fact === null ? null : (
        <Fragment key={fact[0]}>
          <dt>{fact[0]}</dt>
          <dd>{fact[1]}</dd>
        </Fragment>
      )
    )}
  </dl>
)

interface FactsCardProps {
  readonly title?: string
  readonly facts: ReadonlyArray<Fact>
  readonly footer?: ComponentChildren
}

export const FactsCard = ({ facts, footer, title }: FactsCardProps) => (
  <Card class="mb-3" title={title}>
    <div class="card-body">
      <Facts facts={facts} />
    </div>
    {footer ? <div class="card-footer">{footer}</div> : null}
  </Card>
)

export type States<State extends string, Key extends string> = Readonly<Record<State, readonly [tone: Tone, key: Key]>>

interface StateBadgeProps<State extends string, Key extends string> {
  readonly say: Say<Key>
  readonly states: States<State, Key>
  readonly state: State
}

export function StateBadge<State extends string, Key extends string>(
  { say, state, states }: StateBadgeProps<State, Key>
) {
  const [tone, key] = states[state]
  return <Badge tone={tone}>{say(key)}</Badge>
}

interface RowBadgesProps {
  readonly context: PageContext
  readonly row: { readonly disabledAt: Date | null; readonly declared: boolean }
}

export const RowBadges = ({ row: { declared, disabledAt }, context }: RowBadgesProps) => (
  <>
    {disabledAt === null ? null : <Badge tone="secondary">{context.say("state.disabled")}</Badge>}{" "}
    {declared ? <Badge tone="blue">{context.say("configYaml")}</Badge> : null}
  </>
)

export interface Tab {
  readonly href: string
  readonly text: string
  readonly isShown: boolean
  /** How many wait there; nothing is said of none. */
  readonly waiting?: string | undefined
}

export const Tabs = ({ tabs }: { readonly tabs: ReadonlyArray<Tab> }) => (
  <div class="card-header">
    <ul class="nav nav-tabs card-header-tabs">
      {tabs.map(({ href, isShown, text, waiting }) => (
        <li key={href} class="nav-item">
          <a href={href} class={`nav-link ${isShown ? "active" : ""}`} aria-current={isShown ? "page" : undefined}>
            {text}
            {waiting === undefined ? null : <span class="badge bg-red-lt ms-2">{waiting}</span>}
          </a>
        </li>
      ))}
    </ul>
  </div>
)

export const NewLink = ({ href, text }: { readonly href: string; readonly text: string }) => (
  <a class="btn btn-primary" href={href}>
    <Icon name="plus" />
    {text}
  </a>
)

interface AdminLinkProps {
  readonly context: PageContext
  readonly href: string
  readonly class?: string
  readonly "aria-label"?: string
  /** Whether the text is shown to those who may not follow it. */
  readonly isText?: boolean
  readonly children: ComponentChildren
}

export const AdminLink = ({ children, isText = false, context, ...link }: AdminLinkProps) => {
  if (mayOpen(context, link.href)) return <a {...link}>{children}</a>
  return isText ? <>{children}</> : null
}

const noticeIcons = { success: "check", info: "info", warning: "alert", danger: "alert" } as const

/** Something that has been done, or that one should know. */
export const Notice = (
  { children, kind }: { readonly kind: "success" | "info" | "warning" | "danger"; readonly children: ComponentChildren }
) => (
  <div class={`alert alert-${kind}`} role={kind === "danger" || kind === "warning" ? "alert" : "status"}>
    <div class="alert-icon">
      <Icon name={noticeIcons[kind]} />
    </div>
    <div>{children}</div>
  </div>
)

interface DoneProps {
  readonly context: PageContext
  /** What is said, by what the address says. A kind is given where it has not simply gone right. */
  readonly texts: Readonly<Record<string, string | readonly [kind: "warning" | "danger", text: string]>>
}

export const Done = ({ texts, context }: DoneProps) => {
  const done = context.query.get("done")
  const said = done === null || context.isForm || !Object.hasOwn(texts, done) ? undefined : texts[done]
  if (said === undefined) return null
  const [kind, text] = typeof said === "string" ? ["success" as const, said] : said
  return <Notice kind={kind}>{text}</Notice>
}

/** Without the sign that ends the sentence. */
const addressPattern = /(https?:\/\/[^\s<>"'，。；）)]*[^\s<>"'，。；）).,:;!?])/

/** `split` by a pattern with one group alternates between text and what matched. */
export const Linked = ({ text }: { readonly text: string }) => (
  <>
    {text.split(addressPattern).map((part, at) =>
      at % 2 === 1 ? <a key={at} href={part} rel="noopener noreferrer" target="_blank">{part}</a> : part
    )}
  </>
)
