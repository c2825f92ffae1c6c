/**
 * Parts of one page that are addresses of their own, above what they show.
 */

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
