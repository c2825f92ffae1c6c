/**
 * Prints the keys of config.yaml as Markdown. Defaults and accepted values are asked of the schema, which fills in the ones and names
 * the others when it refuses; meanings are the comments of the shipped file.
 */
import { Result, Schema, SchemaAST } from "effect"
import { markdownCode, markdownTable, withRegion } from "../domain/Markdown.ts"
import { type KeyComment, readComments } from "./ConfigComments.ts"
import { environmentOverrides } from "./ConfigFile.ts"
import { type ConfigPath, formatPath, problemsOf } from "./ConfigProblem.ts"
import { ConfigDocument, withSections } from "./ConfigSchema.ts"
import { isSettingKey } from "./SettingDocument.ts"

/** Where the documentation lies, from the project's folder. */
export const CONFIG_DOCS_PATH = "docs/configuration.md"

/** A key of the file, without places in lists: `channels.name`. */
export interface DocumentedKey {
  readonly key: string
  /** Undefined: none. */
  readonly value: string | undefined
  readonly isRequired: boolean
  /** Empty: the schema does not say it. */
  readonly accepted: string
  /** Empty: the shipped file does not say it. */
  readonly meaning: string
}

/** A mapping of the file. The keys at the top are a section without a name. */
interface DocumentedSection {
  readonly name: string
  readonly about: string
  readonly keys: ReadonlyArray<DocumentedKey>
}

/** An item of each list with nothing but what it must have. */
const leastItems = {
  channels: [{ name: "a", base_url: "http://a" }],
  models: [{ id: "a", input_usd_per_1m: "1", output_usd_per_1m: "1" }],
  plans: [{ code: "a", name: "a", price_cny: "1", duration_days: 1 }],
  groups: [{ code: "a", name: "a" }]
}

const decode = Schema.decodeUnknownResult(ConfigDocument, { errors: "all" })

/** What is wrong with a document, by path. */
const problemsIn = (document: unknown): ReadonlyMap<string, string> => {
  const decoded = decode(withSections(document))
  return new Map(
    Result.isSuccess(decoded)
      ? []
      : problemsOf(decoded.failure.issue).map(({ message, path }) => [formatPath(path), message])
  )
}

/** A document with nothing but this value. */
const holding = (path: ConfigPath, value: unknown): unknown =>
  path.reduceRight<unknown>((inner, key) => typeof key === "number" ? [inner] : { [key]: inner }, value)

/** What was expected where a mapping was given. */
const expectedAt = (path: ConfigPath): string =>
  /^expected (.*), got /.exec(problemsIn(holding(path, {})).get(formatPath(path)) ?? "")?.[1] ?? ""

const isRequiredAt = (path: ConfigPath): boolean =>
  problemsIn(holding(path.slice(0, -1), {})).get(formatPath(path)) === "is required"

const propertiesOf = (ast: SchemaAST.AST): ReadonlyArray<readonly [key: string, type: SchemaAST.AST]> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name, type }) => [String(name), type]) : []

const itemOf = (ast: SchemaAST.AST): SchemaAST.AST | undefined => SchemaAST.isArrays(ast) ? ast.rest[0] : undefined

const acceptedAt = (ast: SchemaAST.AST, path: ConfigPath): string => {
  const item = itemOf(ast)
  if (item !== undefined) return `a list; each: ${acceptedAt(item, [...path, 0])}`
  if (SchemaAST.isUnion(ast)) return `a list, or a text with commas; each: ${expectedAt([...path, 0])}`
  if (!SchemaAST.isObjects(ast)) return expectedAt(path)
  if (ast.indexSignatures.length > 0) return `a mapping; each value: ${expectedAt([...path, "a"])}`
  const keys = propertiesOf(ast).map(([key, type]) =>
    `${markdownCode(key)} (${acceptedAt(type, [...path, key])}${isRequiredAt([...path, key]) ? "; required" : ""})`
  )
  return `a mapping: ${keys.join(", ")}`
}

const isObject = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === "object" && value !== null

/** What the schema fills in, as the file would have it. */
const defaults: unknown = Schema.encodeSync(ConfigDocument)(
  Result.getOrThrow(Result.mapError(decode(withSections(leastItems)), ({ issue }) => new Error(String(issue))))
)

const defaultAt = (path: ConfigPath): string | undefined => {
  const value = path.reduce<unknown>((within, key) => isObject(within) ? within[key] : undefined, defaults)
  if (value === undefined || value === null || value === "null") return undefined
  if (Array.isArray(value)) return `[${value.map(String).join(", ")}]`
  return isObject(value) ? "{}" : value === "" ? '""' : String(value)
}

const nameOf = (path: ConfigPath): string => path.filter((part) => typeof part === "string").join(".")

/** `open | closed: ` and the like: what is accepted is said already. */
const wordsBefore = /^\w+(?: \| \w+)+(?:: |$)/

type Comments = ReadonlyMap<string, KeyComment>

const keyAt = (ast: SchemaAST.AST, path: ConfigPath, comments: Comments): DocumentedKey => {
  const comment = comments.get(nameOf(path))
  const isRequired = isRequiredAt(path)
  return {
    key: nameOf(path),
    value: isRequired ? undefined : defaultAt(path) ?? (comment?.otherwise || undefined),
    isRequired,
    accepted: acceptedAt(ast, path),
    meaning: (comment?.meaning ?? "").replace(wordsBefore, "")
  }
}

/** The mapping at this path, then those within it; of a list, its items. */
const sectionsAt = (ast: SchemaAST.AST, path: ConfigPath, comments: Comments): ReadonlyArray<DocumentedSection> => {
  // What stands in an item of a list is described with its key.
  const isItem = path.some((part) => typeof part === "number")
  const places = propertiesOf(ast).map(([key, type]) => {
    const item = itemOf(type)
    return !isItem && item !== undefined && propertiesOf(item).length > 0
      ? { type: item, path: [...path, key, 0] }
      : { type, path: [...path, key] }
  })
  const isWithin = (place: typeof places[number]): boolean => !isItem && propertiesOf(place.type).length > 0
  const keys = places.filter((place) => !isWithin(place)).map((place) => keyAt(place.type, place.path, comments))
  return [
    { name: nameOf(path), about: comments.get(nameOf(path))?.meaning ?? "", keys },
    ...places.filter(isWithin).flatMap((place) => sectionsAt(place.type, place.path, comments))
  ]
}

/** Every section of the file, with what the shipped file says of it. */
const sectionsOf = (comments: Comments): ReadonlyArray<DocumentedSection> =>
  sectionsAt(SchemaAST.toEncoded(ConfigDocument.ast), [], comments).filter((section) => section.keys.length > 0)

/** Every key of the file. */
export const documentedKeys = (shipped: string): ReadonlyArray<DocumentedKey> =>
  sectionsOf(readComments(shipped)).flatMap((section) => section.keys)

/** Keys that the shipped file describes and the schema does not know. */
export const unknownComments = (shipped: string): ReadonlyArray<string> => {
  const known = documentedKeys(shipped).map(({ key }) => key)
  return [...readComments(shipped).keys()].filter((path) =>
    !known.some((key) => key === path || key.startsWith(`${path}.`))
  )
}

const sentences = (text: string): string =>
  text === "" ? "" : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`

const inCell = (text: string): string => text.replaceAll("|", "\\|")

const rowOf = ({ accepted, isRequired, key, meaning, value }: DocumentedKey): ReadonlyArray<string> => [
  markdownCode(key.slice(key.lastIndexOf(".") + 1)),
  isRequired ? "required" : value === undefined ? "none" : markdownCode(value),
  inCell(accepted),
  inCell(meaning),
  isSettingKey(key) ? "yes" : ""
]

const printSection = ({ about, keys, name }: DocumentedSection): string =>
  [
    name === "" ? "### At the top" : `### ${markdownCode(name)}`,
    sentences(about.replace(/ (?:Optional, with their defaults|Their keys):$/, "")),
    markdownTable(["Key", "Default", "Accepts", "Meaning", "In the browser"], keys.map(rowOf))
  ].filter((text) => text !== "").join("\n\n")

const printVariables = (comments: Comments): string =>
  markdownTable(
    ["Variable", "Key", "How"],
    [
      ...environmentOverrides.map(([variable, path]) => [variable, path.join("."), "wins over the file"]),
      ...[...comments].flatMap(([key, { shipped }]) => {
        const variable = /\$\{([A-Za-z0-9_]+)/.exec(shipped)?.[1]
        return variable === undefined ? [] : [[variable, key, "named in the shipped file"]]
      })
    ].map(([variable = "", key = "", how = ""]) => [markdownCode(variable), markdownCode(key), how])
  )

/** The documentation with the keys as they are; what stands outside its marked regions is kept. */
export const printConfigDocs = (text: string, shipped: string): string => {
  const comments = readComments(shipped)
  const keys = sectionsOf(comments).map(printSection).join("\n\n")
  return withRegion(withRegion(text, "config:variables", printVariables(comments)), "config:keys", keys)
}
