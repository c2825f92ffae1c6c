/**
 * How root presents the site, as a browser does it: its logo, its contact and its terms, and what all users are told.
 */
import { assert } from "@effect/vitest"
import type { Visitor } from "./Browser.ts"
import { fillIn, inspect, type Telling } from "./ConsoleStory.ts"

const save = "main form .btn-primary[type=submit]"

/** A red square of ten pixels. */
const LOGO = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR42mO4ZmmJBzGMSmNDANZtgCEdbibjAAAAAElFTkSuQmCC"

/** The site gets its name, a logo and terms, which those who register are shown. */
export const present = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/settings`)
  await page.fill("[name='site.contact']", "help@example.com")
  await page.fill("[name='site.terms']", "Be kind.\n\nMore at https://example.com/terms.")
  await page.setInputFiles("[name='site.logo']", {
    name: "logo.png",
    mimeType: "image/png",
    buffer: Buffer.from(LOGO, "base64")
  })
  await page.click(save)
  await page.waitForURL(/\/site\?done=saved/)
  const width = await page.locator(".console-brand img").evaluate((image) =>
    "naturalWidth" in image && image.naturalWidth
  )
  assert.strictEqual(width, 10)
  await inspect(visitor, telling, "settings-site")
  await page.goto(`${origin}/terms`)
  await inspect(visitor, telling, "terms")
}

/** What all users are told stands above their pages until each of them puts it away. */
export const announce = async (
  { root, user }: Readonly<Record<"root" | "user", Visitor>>,
  telling: Telling,
  origin: string
) => {
  const { page } = root
  await page.goto(`${origin}/admin/announcements/new`)
  await page.fill("[name=ends_on]", "2000-01-01")
  await page.click(save)
  await page.waitForSelector(".is-invalid[name=title_en]")
  await inspect(root, telling, "announcement-refused")
  await fillIn(page, {
    ends_on: "",
    title_en: "New model",
    text_en: "Read on at https://example.com/news.\nIt is cheaper, too.",
    title_zh: "新模型上线"
  })
  await page.click(save)
  await page.waitForURL(/\/admin\/announcements\/\d+\?done=created/)
  await inspect(root, telling, "announcement")
  await page.goto(`${origin}/admin/announcements`)
  await inspect(root, telling, "announcements")
  await user.page.goto(`${origin}/usage`)
  assert.strictEqual(await user.page.locator("main .announcement").count(), 1)
  await inspect(user, telling, "announced")
  await user.page.click("main .announcement button")
  await user.page.waitForURL(`${origin}/usage`)
  await user.page.goto(`${origin}/keys`)
  assert.strictEqual(await user.page.locator("main .announcement").count(), 0)
  await user.page.goto(`${origin}/announcements`)
  await inspect(user, telling, "announcements-read")
}
