/**
 * Reads the project's own files for the tidy tests: everything that is not ignored, installed or built.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string
  readonly text: string
}

export const readText = (path: string): string => readFileSync(join(root, path), "utf8")

/** The plain names in .gitignore, folders and files that are nobody's source. One with a leading `/` is a path. */
const ignored: ReadonlySet<string> = new Set([
  ".git",
  ...readText(".gitignore").split("\n").map((line) => line.trim().replace(/\/$/, "")).filter((line) => line !== "")
])

const isIgnored = (path: string): boolean =>
  ignored.has(`/${path}`) || ignored.has(path.slice(path.lastIndexOf("/") + 1)) || path.endsWith(".log")

/** Names in the project's top folder, ignored ones left out. */
export const topLevelNames = (): ReadonlyArray<string> => readdirSync(root).filter((name) => !isIgnored(name))

/** All files below the folders given, ignored ones left out, in a stable order. A folder that is not there has none. */
export const sourceFiles = (under: ReadonlyArray<string>, extension: RegExp): ReadonlyArray<SourceFile> => {
  const found: Array<SourceFile> = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const absolute = join(folder, entry.name)
      const path = relative(root, absolute).split(sep).join("/")
      if (isIgnored(path)) continue
      if (entry.isDirectory()) visit(absolute)
      else if (extension.test(path)) found.push({ path, text: readFileSync(absolute, "utf8") })
    }
  }
  for (const folder of under.filter((name) => existsSync(join(root, name)))) visit(join(root, folder))
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Code without its comments. Strings stay: a rule that looks at code must not be fooled by `//` in an address. */
export const withoutComments = (text: string): string =>
  text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g,
    (_, quoted) => quoted ?? ""
  )

/** The JSDoc comment that opens a module, if it has one. */
export const headerOf = (text: string): string | undefined => /^(?:#![^\n]*\n)?(\/\*\*[\s\S]*?\*\/)/.exec(text)?.[1]
