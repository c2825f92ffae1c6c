/**
 * A real browser for tests of pages: the run's Chromium, a fresh profile for each visitor, and a watch over
 * everything a page may do wrong without showing it - a policy violated, a script that throws, a request that fails.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { accessSync, constants, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { delimiter, join } from "node:path"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { inject } from "vitest"

const require = createRequire(import.meta.url)

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
const elsewhere = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"
]

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where the browser is; undefined where there is none. */
export const chromiumPath: string | undefined = [
  ...(process.env["CHROMIUM_PATH"] === undefined ? [] : [process.env["CHROMIUM_PATH"]]),
  ...(process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
  ...elsewhere
].find(isExecutable)

const WAIT_MS_MAX = 30_000

export const desktop = { width: 1280, height: 800 }
export const phone = { width: 360, height: 740 }

export interface VisitorOptions {
  readonly locale?: "en-US" | "zh-CN"
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: "light" | "dark"
  readonly javaScriptEnabled?: boolean
}

/** The run's browser, as long as the scope. */
export const connect = Effect.acquireRelease(
  Effect.promise(() => chromium.connect(inject("browserEndpoint"))),
  (browser) => Effect.promise(() => browser.close())
)

/** A picture takes as long as all other looks at a page: they are taken where somebody is to look at them. */
const takesPictures = process.env["REALMS_PICTURES"] !== undefined

/** Where pictures of pages go; ignored by git. */
export const screenshotFolder = join(import.meta.dirname, "../screenshots")

const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8")

/** Violations of these do not count: their rules are left out, which saves a sixth of the time. */
const lightImpacts = ["minor", "moderate"]

const axeRun = `axe.run(document, {
  resultTypes: ["violations"],
  runOnly: axe._audit.rules
    .filter(({ enabled, impact, tags }) => enabled && !tags.includes("experimental") && !tags.includes("deprecated") &&
      !${JSON.stringify(lightImpacts)}.includes(impact))
    .map(({ id }) => id)
}).then((result) => result.violations)`

interface AxeViolation {
  readonly id: string
  readonly impact: string | null
  readonly help: string
  readonly nodes: ReadonlyArray<{ readonly target: ReadonlyArray<unknown>; readonly failureSummary?: string }>
}

/** One visitor with one page. */
export class Visitor {
  readonly page: Page
  readonly context: BrowserContext
  /** What went wrong without being seen. */
  readonly problems: Array<string> = []

  constructor(context: BrowserContext, page: Page) {
    this.context = context
    this.page = page
    page.setDefaultTimeout(WAIT_MS_MAX)
    page.on("pageerror", (error) => this.problems.push(`script error: ${error.message}`))
    page.on("console", (message) => {
      // A page that is answered with 403 or 422 is a test's affair; what a policy forbids is always said here.
      const text = message.text()
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
        this.problems.push(`console: ${text}`)
      }
    })
    page.on("response", (response) => {
      if (response.status() >= 500) this.problems.push(`${response.status()} ${response.url()}`)
    })
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? ""
      // A request that the browser gives up because it goes to another page.
      if (!why.includes("ERR_ABORTED")) this.problems.push(`request failed: ${request.url()} ${why}`)
    })
  }

  /** Fails when anything went wrong so far. */
  assertSilent(): void {
    assert.deepStrictEqual(this.problems, [])
  }

  /** Clicks, and waits until the page that it leads to has wholly come. */
  async follow(selector: string): Promise<void> {
    await this.page.click(selector)
    await this.page.waitForLoadState()
  }

  /** The text of a part that comes, once its page has wholly come. */
  async textOf(selector: string): Promise<string> {
    await this.page.waitForSelector(selector, { state: "attached" })
    await this.page.waitForLoadState()
    return await this.page.textContent(selector) ?? ""
  }

  /** Notes a page that is wider than the screen. */
  async checkFits(): Promise<void> {
    await this.page.waitForLoadState()
    const [content = 0, screen = 0] = await this.page.evaluate(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    ) as Array<number>
    if (content > screen) this.note(`${content} pixels wide on a screen of ${screen}`)
  }

  /** Notes what keeps people from using the page: violations that are serious or critical, or of an impact that is not known. */
  async checkAccessible(): Promise<void> {
    // A link of a page that is still coming has no text yet.
    await this.page.waitForLoadState()
    const violations = await this.page.evaluate(axeRun) as ReadonlyArray<AxeViolation>
    for (const { help, id, impact, nodes } of violations) {
      if (lightImpacts.includes(impact ?? "")) continue
      const where = nodes.map((node) => `${node.target.join(" ")} (${node.failureSummary ?? ""})`)
      this.note(`${id}: ${help}: ${where.join("; ")}`)
    }
  }

  private note(problem: string): void {
    this.problems.push(`${new URL(this.page.url()).pathname}: ${problem}`)
  }

  async screenshot(name: string): Promise<void> {
    if (takesPictures) await this.page.screenshot({ path: join(screenshotFolder, `${name}.png`), fullPage: true })
  }
}

/** A visitor with a profile of their own, as long as the scope. */
export const visit = (browser: Browser, options: VisitorOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const context = await browser.newContext({
        viewport: options.viewport ?? desktop,
        // Pictures are of pages at rest, and a click waits until nothing moves.
        reducedMotion: "reduce",
        locale: options.locale ?? "en-US",
        timezoneId: "Asia/Shanghai",
        colorScheme: options.colorScheme ?? "light",
        javaScriptEnabled: options.javaScriptEnabled ?? true
      })
      // Not a script element, which a page's policy would rightly refuse; and not sent again for each page.
      await context.addInitScript(axeSource)
      return new Visitor(context, await context.newPage())
    }),
    ({ context }) => Effect.promise(() => context.close())
  )
