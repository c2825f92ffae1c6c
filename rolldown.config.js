/**
 * Joins what was built in `dist/` into few files, `dist/bundle/`: a command that has to read hundreds of modules spends most of its
 * time on that. Our own code and Effect are joined; every other package stays where npm put it. A thread's module stays a file of its
 * own, beside the one that starts it.
 */
import { cpSync, globSync } from "node:fs"
import { basename } from "node:path"

const joined = /^(?:[./]|effect(?:\/|$)|@effect\/)/

const threads = globSync("dist/**/*Worker.js", { exclude: (path) => path.endsWith("bundle") }).sort()
const input = Object.fromEntries(
  ["dist/CommandLine.js", ...threads].map((path) => [basename(path, ".js"), path])
)
if (Object.keys(input).length !== threads.length + 1) {
  throw new Error(`two threads have modules of one name: ${threads.join(", ")}`)
}

/** The files that pages need lie beside the code that serves them, joined or not. */
const assets = {
  name: "assets",
  writeBundle: () => {
    for (const to of ["dist/http/console/assets", "dist/bundle/assets"]) {
      cpSync("src/http/console/assets", to, { recursive: true })
    }
  }
}

/** @type {import("rolldown").BuildOptions} */
export const bundle = {
  input,
  platform: "node",
  external: (id) => !joined.test(id),
  plugins: [assets],
  output: { dir: "dist/bundle", format: "esm", chunkFileNames: "[name].js" }
}
