import { assert, describe, it } from "@effect/vitest"
import { readSiteImage, SITE_IMAGE_BYTES_MAX } from "../../src/domain/SiteImage.ts"

const png = Buffer.from("89504e470d0a1a0a", "hex")

const url = (bytes: Uint8Array, type = "image/png"): string =>
  `data:${type};base64,${Buffer.from(bytes).toString("base64")}`

const sized = (bytes: number) => Buffer.concat([png, Buffer.alloc(bytes - png.length)])

describe("an image of the site", () => {
  it("is what its bytes say, whatever its name says", () => {
    assert.deepStrictEqual(readSiteImage(url(png, "image/svg+xml"))?.type, "image/png")
    assert.deepStrictEqual(readSiteImage(url(Buffer.from("ffd8ffe0", "hex")))?.type, "image/jpeg")
    assert.deepStrictEqual(readSiteImage(url(Buffer.from("RIFF....WEBPVP8 ")))?.type, "image/webp")
    assert.deepStrictEqual(Buffer.from(readSiteImage(url(sized(SITE_IMAGE_BYTES_MAX)))?.bytes ?? []).length, 32_768)
  })

  it.each([
    "",
    "x",
    "https://example.com/logo.png",
    "data:image/png;base64,",
    "data:image/png,abc",
    "data:text/html;base64,PHNjcmlwdD4=",
    url(Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), "image/svg+xml"),
    url(Buffer.from("GIF89a")),
    `${url(png)}"><script>`,
    url(sized(SITE_IMAGE_BYTES_MAX + 1))
  ])("is not %.60s", (text) => {
    assert.isUndefined(readSiteImage(text))
  })
})
