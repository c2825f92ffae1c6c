/**
 * The document around every page: what to load, the bar with the navigation, and the content. Pages are rendered to text on
 * the server; everything put into them is escaped.
 */
import type { ComponentChildren } from "preact"
import { renderToString } from "preact-render-to-string"
import type { SiteConfig } from "../../../config/Config.ts"
import type { Announcement } from "../../../settings/Announcements.ts"
import type { Page, Part } from "../Answer.ts"
import { assetPath } from "../Assets.ts"
import { Announced } from "../kit/Announcements.tsx"
import { PostForm } from "../kit/Forms.tsx"
import { Icon, type IconName } from "../kit/Icon.tsx"
import { BalanceLink, Linked } from "../kit/Parts.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { contactPath, logoPath, termsPath } from "../SiteFiles.ts"
import { Navigation } from "./Navigation.tsx"

/** What fails is a page of its own, and is not put into another. */
const htmxConfig = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  mode: "same-origin",
  noSwap: [204, 304, "3xx", "4xx", "5xx"]
})

interface IconButtonProps {
  readonly icon: IconName
  readonly label: string
  /** The label by default. */
  readonly title?: string
  readonly class?: string
  readonly name?: string
  readonly value?: string
}

const IconButton = ({ class: more = "", icon, label, title = label, ...sent }: IconButtonProps) => (
  <button class={`btn btn-icon btn-ghost-secondary ${more}`} type="submit" aria-label={label} title={title} {...sent}>
    <Icon name={icon} />
  </button>
)

/** Shown in the other theme than its own. */
const ThemeButton = ({ theme, ...button }: IconButtonProps & { readonly theme: "dark" | "light" }) => (
  <IconButton {...button} class={`hide-theme-${theme}`} name="theme" value={theme} />
)

/** Language and theme are changed by forms, so that they work without scripts, and come back to the page they are on. */
const Look = ({ context }: { readonly context: PageContext }) => (
  <PostForm context={context} action="/look" class="console-look">
    <input type="hidden" name="next" value={context.here} />
    <button
      class="btn btn-ghost-secondary"
      type="submit"
      name="language"
      value={context.language === "en" ? "zh" : "en"}
      lang={context.language === "en" ? "zh-CN" : "en"}
      aria-label={context.say("look.otherLanguage")}
    >
      <Icon name="language" />
      <span class="console-look-text">{context.say("look.otherLanguage")}</span>
    </button>
    <ThemeButton theme="dark" icon="moon" label={context.say("look.makeDark")} />
    <ThemeButton theme="light" icon="sun" label={context.say("look.makeLight")} />
  </PostForm>
)

const Brand = ({ site }: { readonly site: SiteConfig }) => (
  <a class="console-brand" href="/" aria-label={site.name}>
    <img src={logoPath(site)} height="28" alt="" />
    <span>{site.name}</span>
  </a>
)

/** Announcements of users, and terms and contact where there are any. */
const SiteLinks = ({ site, context }: { readonly context: PageContext; readonly site: SiteConfig }) => {
  const [terms, contact] = [termsPath(site), contactPath(site)]
  return (
    <>
      {context.user === undefined ? null : (
        <span class="nowrap">
          {" · "}
          <a href="/announcements">{sayOf(context, "announcements")("title")}</a>
        </span>
      )}
      {terms === undefined ? null : (
        <span class="nowrap">
          {" · "}
          <a href={terms}>{context.say("footer.terms")}</a>
        </span>
      )}
      {site.contact === "" ? null : (
        <span class="break-anywhere">
          {" · "}
          {context.say("footer.contact")} {contact === undefined ? site.contact : <a href={contact}>{site.contact}</a>}
        </span>
      )}
    </>
  )
}

interface FrameProps {
  readonly context: PageContext
  readonly site: SiteConfig
  readonly balanceMicros: bigint | undefined
  readonly announcements: ReadonlyArray<Announcement>
}

interface TopBarProps extends Omit<FrameProps, "announcements"> {
  /** The page is a form again that was not carried out. */
  readonly isRefused: boolean
}

const TopBar = ({ balanceMicros, isRefused, site, context }: TopBarProps) => (
  <header class="console-top d-print-none">
    <div class="console-top-row">
      <Brand site={site} />
      <div class="console-top-end">
        {balanceMicros === undefined ? null : <BalanceLink context={context} micros={balanceMicros} />}
        {/* What a form has just made, such as a key, may be shown only here: nothing leads away from it by a slip. */}
        {context.isForm && !isRefused ? null : <Look context={context} />}
        {context.user === undefined
          ? (
            <>
              <a class="btn btn-ghost-secondary d-none d-sm-inline-flex" href="/models">{context.say("nav.models")}</a>
              {context.pathname === "/login"
                ? null
                : <a class="btn btn-primary" href="/login">{context.say("action.login")}</a>}
            </>
          )
          : (
            <PostForm context={context} action="/logout">
              <IconButton
                icon="logout"
                label={context.say("action.logout")}
                title={`${context.say("action.logout")} · ${context.user.email}`}
              />
            </PostForm>
          )}
      </div>
    </div>
  </header>
)

const Document = (
  { announcements, balanceMicros, page, site, context }: FrameProps & { readonly page: Page }
) => (
  <html
    lang={context.language === "zh" ? "zh-CN" : "en"}
    data-bs-theme={context.theme === "auto" ? "light" : context.theme}
    data-theme={context.theme}
    // A page that was asked for by its address can be asked for again, once the browser has said its zone.
    data-zone={context.isForm ? undefined : context.formats.timeZone}
  >
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{`${page.title} · ${site.name}`}</title>
      <meta name="description" content={context.say("site.description", { name: site.name })} />
      <link rel="apple-touch-icon" href={assetPath("touch.png")} />
      <link rel="icon" href={logoPath(site)} />
      <script src={assetPath("look.js")} />
      <link rel="stylesheet" href={assetPath("tabler.css")} />
      <link rel="stylesheet" href={assetPath("site.css")} />
      <meta name="htmx-config" content={htmxConfig} />
      <script src={assetPath("htmx.js")} defer />
      <script src={assetPath("site.js")} defer />
      {page.refreshSeconds === undefined || context.isForm
        ? null
        : (
          <noscript>
            <meta http-equiv="refresh" content={page.refreshSeconds.toString()} />
          </noscript>
        )}
    </head>
    <body>
      <a class="visually-hidden-focusable console-skip" href="#content">{context.say("nav.skip")}</a>
      <TopBar context={context} site={site} balanceMicros={balanceMicros} isRefused={(page.status ?? 200) >= 400} />
      <div class="console-shell">
        {context.user === undefined || page.bare === true ? null : <Navigation context={context} />}
        <div class="console-column">
          <main
            id="content"
            class={`container-xl console-main ${page.bare === true ? "console-bare" : ""}`}
            tabIndex={-1}
          >
            {site.notice === ""
              ? null
              : (
                <div class="alert alert-info break-anywhere site-notice" role="note">
                  <div>
                    <Linked text={site.notice} />
                  </div>
                </div>
              )}
            <Announced context={context} announcements={announcements} />
            {page.body}
          </main>
          <footer class="console-footer d-print-none">
            <div class="container-xl text-secondary">
              {site.name} · {context.say("footer.docs")} ·{" "}
              {context.say("footer.zone", { zone: context.formats.timeZone })}
              <SiteLinks context={context} site={site} />
            </div>
          </footer>
        </div>
      </div>
    </body>
  </html>
)

/** The whole document as text. `balanceMicros` is shown in the bar when it is known. */
export const renderPage = (
  context: PageContext,
  page: Page,
  around: Omit<FrameProps, "context">
): string => `<!DOCTYPE html>${renderToString(<Document context={context} page={page} {...around} />)}`

/** A part of a page as text. */
export const renderPart = ({ body }: Part): string => renderToString(<Fragmented>{body}</Fragmented>)

const Fragmented = ({ children }: { readonly children: ComponentChildren }) => <>{children}</>

export const ProblemView = (
  { again, text, title, context }: {
    readonly context: PageContext
    readonly title: string
    readonly text: string
    /** Where to try again, when that is all there is to do. */
    readonly again?: string
  }
) => (
  <div class="empty">
    <div class="empty-icon text-secondary">
      <Icon name="alert" class="icon-lg" />
    </div>
    <h1 class="empty-title h2">{title}</h1>
    <p class="empty-subtitle text-secondary">{text}</p>
    <div class="empty-action">
      {again !== undefined
        ? <a class="btn btn-primary" href={again}>{context.say("problem.again")}</a>
        : context.user === undefined
        ? <a class="btn btn-primary" href="/login">{context.say("action.login")}</a>
        : <a class="btn btn-primary" href="/">{context.say("action.home")}</a>}
    </div>
  </div>
)
