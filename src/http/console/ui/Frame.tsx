/**
 * The document around every page: what to load, the bar with the navigation, and the content. Pages are rendered to text on
 * the server; everything put into them is escaped.
 */
import type { ComponentChildren } from "preact"
import { renderToString } from "preact-render-to-string"
import type { SiteConfig } from "../../../config/Config.ts"
import type { Page, Part } from "../Answer.ts"
import { assetPath } from "../Assets.ts"
import { hereOf, type Visit } from "../Visit.ts"
import { PostForm } from "./Forms.tsx"
import { Icon, type IconName } from "./Icon.tsx"
import { Navigation } from "./Navigation.tsx"

/** What fails is a page of its own, and is not put into another. */
const htmxConfig = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  mode: "same-origin",
  noSwap: [204, 304, "3xx", "4xx", "5xx"]
})

/** Shown in the other theme than its own. */
const ThemeButton = (
  { icon, label, theme }: {
    readonly theme: "dark" | "light"
    readonly icon: IconName
    readonly label: string
  }
) => (
  <button
    class={`btn btn-icon btn-ghost-secondary hide-theme-${theme}`}
    type="submit"
    name="theme"
    value={theme}
    aria-label={label}
    title={label}
  >
    <Icon name={icon} />
  </button>
)

/** Language and theme are changed by forms, so that they work without scripts, and come back to the page they are on. */
const Look = ({ visit }: { readonly visit: Visit }) => {
  // The answer to a form has no address to come back to.
  if (visit.isForm) return null
  return (
    <PostForm visit={visit} action="/look" class="console-look">
      <input type="hidden" name="next" value={hereOf(visit)} />
      <button
        class="btn btn-ghost-secondary"
        type="submit"
        name="language"
        value={visit.language === "en" ? "zh" : "en"}
        lang={visit.language === "en" ? "zh-CN" : "en"}
      >
        <Icon name="language" />
        {visit.say("look.otherLanguage")}
      </button>
      <ThemeButton theme="dark" icon="moon" label={visit.say("look.makeDark")} />
      <ThemeButton theme="light" icon="sun" label={visit.say("look.makeLight")} />
    </PostForm>
  )
}

const Brand = ({ site }: { readonly site: SiteConfig }) => (
  <a class="console-brand" href="/" aria-label={site.name}>
    <img src={assetPath("icon.svg")} width="28" height="28" alt="" />
    <span>{site.name}</span>
  </a>
)

const TopBar = (
  { balanceMicros, site, visit }: {
    readonly visit: Visit
    readonly site: SiteConfig
    readonly balanceMicros: bigint | undefined
  }
) => (
  <header class="console-top d-print-none">
    <div class="container-xl console-top-row">
      <Brand site={site} />
      <div class="console-top-end">
        {balanceMicros === undefined ? null : (
          <a class="console-balance" href="/topup">
            <span class="text-secondary d-none d-sm-inline">{visit.say("nav.balance")}</span>
            <strong>{visit.formats.usd(balanceMicros)}</strong>
          </a>
        )}
        <Look visit={visit} />
        {visit.user === undefined
          ? visit.pathname === "/login"
            ? null
            : <a class="btn btn-primary" href="/login">{visit.say("action.login")}</a>
          : (
            <PostForm visit={visit} action="/logout">
              <button
                class="btn btn-icon btn-ghost-secondary"
                type="submit"
                aria-label={visit.say("action.logout")}
                title={`${visit.say("action.logout")} · ${visit.user.email}`}
              >
                <Icon name="logout" />
              </button>
            </PostForm>
          )}
      </div>
    </div>
  </header>
)

const Document = (
  { balanceMicros, page, site, visit }: {
    readonly visit: Visit
    readonly page: Page
    readonly site: SiteConfig
    readonly balanceMicros: bigint | undefined
  }
) => (
  <html
    lang={visit.language === "zh" ? "zh-CN" : "en"}
    data-bs-theme={visit.theme === "auto" ? "light" : visit.theme}
    data-theme={visit.theme}
  >
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{`${page.title} · ${site.name}`}</title>
      <link rel="icon" href={assetPath("icon.svg")} type="image/svg+xml" />
      <script src={assetPath("look.js")} />
      <link rel="stylesheet" href={assetPath("tabler.css")} />
      <link rel="stylesheet" href={assetPath("site.css")} />
      <meta name="htmx-config" content={htmxConfig} />
      <script src={assetPath("htmx.js")} defer />
      <script src={assetPath("site.js")} defer />
      {page.refreshSeconds === undefined || visit.isForm
        ? null
        : (
          <noscript>
            <meta http-equiv="refresh" content={page.refreshSeconds.toString()} />
          </noscript>
        )}
    </head>
    <body>
      <a class="visually-hidden-focusable console-skip" href="#content">{visit.say("nav.skip")}</a>
      <TopBar visit={visit} site={site} balanceMicros={balanceMicros} />
      {visit.user === undefined || page.bare === true ? null : <Navigation visit={visit} />}
      <main id="content" class={`container-xl console-main ${page.bare === true ? "console-bare" : ""}`} tabIndex={-1}>
        {site.notice === ""
          ? null
          : <div class="alert alert-info break-anywhere site-notice" role="note">{site.notice}</div>}
        {page.body}
      </main>
      <footer class="console-footer d-print-none">
        <div class="container-xl text-secondary">{site.name} · {visit.say("footer.docs")}</div>
      </footer>
    </body>
  </html>
)

/** The whole document as text. `balanceMicros` is shown in the bar when it is known. */
export const renderPage = (
  visit: Visit,
  page: Page,
  site: SiteConfig,
  balanceMicros: bigint | undefined
): string =>
  `<!DOCTYPE html>${renderToString(<Document visit={visit} page={page} site={site} balanceMicros={balanceMicros} />)}`

/** A part of a page as text. */
export const renderPart = ({ body }: Part): string => renderToString(<Fragmented>{body}</Fragmented>)

const Fragmented = ({ children }: { readonly children: ComponentChildren }) => <>{children}</>
