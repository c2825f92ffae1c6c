/**
 * That the watch over pages sees what it is there for: each thing that a page may do wrong is done once, and noticed.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:http"
import { chromiumPath, connect, phone, visit } from "./Browser.ts"

const page = (body: string) =>
  `<!DOCTYPE html><html lang="en"><head><title>t</title><meta name="viewport" content="width=device-width"></head>` +
  `<body><main><h1>t</h1>${body}</main></body></html>`

const pages: ReadonlyArray<readonly [what: string, body: string, problem: RegExp | undefined]> = [
  ["a clean page", "<p>hello</p>", undefined],
  ["an inline script", "<script>1</script>", /Content Security Policy/],
  ["an inline style", `<p style="color: red">x</p>`, /Content Security Policy/],
  ["a script that throws", `<script src="/throw.js"></script>`, /script error: on purpose/],
  ["an answer of 500", `<img src="/500" alt="">`, /500 http/],
  ["a page too wide", `<img src="/wide.svg" width="900" height="10" alt="">`, /900|pixels wide/],
  ["a field without a label", `<input type="text">`, /label/]
]

const serve = Effect.acquireRelease(
  Effect.callback<string>((resume) => {
    const server = createServer((request, response) => {
      const path = request.url ?? ""
      const index = Number(/^\/page\/(\d)$/.exec(path)?.[1] ?? -1)
      if (path === "/throw.js") {
        response.setHeader("content-type", "text/javascript").end(`throw new Error("on purpose")`)
      } else if (path === "/wide.svg") {
        response.setHeader("content-type", "image/svg+xml").end(`<svg xmlns="http://www.w3.org/2000/svg"/>`)
      } else if (path === "/500") response.writeHead(500).end()
      else {
        response.setHeader("content-type", "text/html")
        response.setHeader("content-security-policy", "default-src 'self'")
        response.end(page(pages[index]?.[1] ?? ""))
      }
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`))
    })
    stop = () => server.close()
  }),
  () => Effect.sync(() => stop())
)

let stop: () => void = () => undefined

describe.skipIf(chromiumPath === undefined)("the watch over pages", () => {
  it.live("notices each thing that a page does wrong, and nothing else", () =>
    Effect.gen(function*() {
      const origin = yield* serve
      const browser = yield* connect
      for (const [index, [what, , problem]] of pages.entries()) {
        const visitor = yield* visit(browser, { viewport: phone })
        yield* Effect.promise(async () => {
          await visitor.page.goto(`${origin}/page/${index}`, { waitUntil: "load" })
          await visitor.checkFits()
          await visitor.checkAccessible()
        })
        if (problem === undefined) assert.deepStrictEqual(visitor.problems, [], what)
        else assert.match(visitor.problems.join("\n"), problem, what)
      }
    }).pipe(Effect.scoped))
})
