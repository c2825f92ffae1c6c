/**
 * What is wrong in a configuration, said so that it can be put right: each problem names the path of the value, an
 * unknown key suggests the one that was probably meant, and all of them go into one message.
 * @internal
 */
import { Option, SchemaAST, SchemaIssue } from "effect"
import { isMapping } from "./Mapping.ts"

/** A path inside the document, as keys and list positions. */
export type ConfigPath = ReadonlyArray<PropertyKey>

export interface ConfigProblem {
  readonly path: ConfigPath
  readonly message: string
}

/** Prints a path as `channels[0].api_key`; the top of the document is empty. */
export const formatPath = (path: ConfigPath): string =>
  path.reduce<string>(
    (text, key) => typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    ""
  )

/** The number of single-letter edits between two words. */
const editDistance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/** A key in the form that typing habits do not change: `baseUrl`, `base-url` and `base_url` are one. */
const bare = (key: string): string => key.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** The known key that an unknown one was probably meant to be. */
export const closestKey = (key: string, known: ReadonlyArray<string>): Option.Option<string> => {
  const editsMax = Math.max(2, Math.floor(key.length / 3))
  let best: { readonly key: string; readonly edits: number } | undefined
  for (const candidate of known) {
    const edits = editDistance(bare(key), bare(candidate))
    if (edits <= editsMax && edits < candidate.length && (best === undefined || edits < best.edits)) {
      best = { key: candidate, edits }
    }
  }
  return Option.map(Option.fromNullishOr(best), (found) => found.key)
}

const unknownKey = (path: ConfigPath, key: string, known: ReadonlyArray<string>): ConfigProblem => ({
  path: [...path, key],
  message: Option.match(closestKey(key, known), {
    onNone: () => `unknown key; known here: ${known.join(", ")}`,
    onSome: (closest) => `unknown key, did you mean "${closest}"?`
  })
})

/** Every key of `raw`, at any depth, that the schema does not know. */
export const unknownKeys = (ast: SchemaAST.AST, raw: unknown, path: ConfigPath = []): ReadonlyArray<ConfigProblem> => {
  if (SchemaAST.isArrays(ast) && Array.isArray(raw)) {
    const item = ast.rest[0]
    return item === undefined ? [] : raw.flatMap((value, index) => unknownKeys(item, value, [...path, index]))
  }
  if (!SchemaAST.isObjects(ast) || !isMapping(raw) || ast.indexSignatures.length > 0) return []
  const known = new Map(ast.propertySignatures.map((property) => [String(property.name), property.type]))
  return Object.entries(raw).flatMap(([key, value]) => {
    const type = known.get(key)
    return type === undefined
      ? [unknownKey(path, key, [...known.keys()])]
      : unknownKeys(type, value, [...path, key])
  })
}

const leafMessage: SchemaIssue.LeafHook = (issue) => {
  if (issue._tag === "MissingKey") return "is required"
  if (issue._tag === "InvalidType") {
    if (SchemaAST.isObjects(issue.ast)) return "expected a mapping (key: value)"
    if (SchemaAST.isArrays(issue.ast)) return "expected a list"
  }
  return SchemaIssue.defaultLeafHook(issue)
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook: leafMessage })

/** The problems in a failed decode. */
export const problemsOf = (issue: SchemaIssue.Issue): ReadonlyArray<ConfigProblem> =>
  formatIssue(issue).issues.map(({ message, path = [] }) => ({
    path: path.map((key) => typeof key === "object" ? key.key : key),
    message
  }))

/** One message for all problems; `labels` says which paths were set by an environment variable. */
export const formatProblems = (
  source: string,
  problems: ReadonlyArray<ConfigProblem>,
  labels: ReadonlyMap<string, string>
): string => {
  const lines = problems.map(({ message, path }) => {
    const text = formatPath(path)
    const label = labels.get(text)
    return `  ${label === undefined ? text === "" ? "the file" : text : `${text} (from ${label})`}: ${message}`
  })
  return [`The configuration is not valid (${source}):`, ...new Set(lines)].join("\n")
}
