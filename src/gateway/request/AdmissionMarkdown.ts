/**
 * Prints the admission table of a dialect as Markdown, for the documentation of the API: what is printed is what is applied.
 */
import { markdownCode as code, markdownTable as table } from "../../domain/Markdown.ts"
import type { FieldRule, Fields, Shape, Variants } from "./Admission.ts"
import type { Dialect } from "./Call.ts"
import { messageFields } from "./ChatTable.ts"
import { dialectTables } from "./DialectTables.ts"
import { itemTypes } from "./ItemTable.ts"
import { partTypes } from "./PartTable.ts"
import { shapeWords } from "./ShapeWords.ts"
import { clientRuns, toolTypes } from "./ToolTable.ts"

/** The sections of one dialect: its request fields, and what may stand in them. */
export function admissionMarkdown(dialect: Dialect): string {
  const { fields } = dialectTables[dialect]
  const sections = ["#### Request fields", fieldTable(fields), "#### Refused fields", refusedTable(fields)]
  if (dialect === "chat") sections.push("#### Messages", fieldTable(messageFields))
  if (dialect === "responses") sections.push("#### Input items", variantTable(itemTypes))
  if (dialect !== "embeddings") {
    sections.push("#### Content parts", variantTable(partTypes), "#### Tools", toolTable())
  }
  return sections.join("\n\n")
}

const isRefused = (rule: FieldRule): boolean => rule.treatment === "refused"

const fieldTable = (fields: Fields): string =>
  table(
    ["Field", "Treatment", "Type", "Note"],
    [...fields].filter(([, rule]) => !isRefused(rule)).map(([name, rule]) => [
      code(name),
      rule.treatment,
      rule.treatment === "dropped" ? "any value" : shapeWords(rule.shape),
      noteOf(rule)
    ])
  )

const noteOf = (rule: FieldRule): string =>
  [rule.note, rule.reasoning ? "Counted as reasoning." : ""].filter((note) => note !== "").join(" ")

/** The fields that are refused, also inside objects whose fields are named. */
const refusedTable = (fields: Fields): string =>
  table(
    ["Field", "Why", "Passes"],
    refusedIn(fields, "").map(([name, rule]) => [
      code(name),
      rule.note,
      ["null", ...rule.off ?? []].map(code).join(", ")
    ])
  )

const refusedIn = (fields: Fields, above: string): ReadonlyArray<readonly [name: string, rule: FieldRule]> =>
  [...fields].flatMap(([name, rule]) =>
    isRefused(rule)
      ? [[`${above}${name}`, rule] as const]
      : objectsIn(rule.shape).flatMap((inner) => refusedIn(inner, `${above}${name}.`))
  )

/** The tables of the objects that a value may be. Lists and variants have sections of their own. */
const objectsIn = (shape: Shape): ReadonlyArray<Fields> =>
  shape.kind === "object" ? [shape.fields] : shape.kind === "either" ? shape.of.flatMap(objectsIn) : []

const variantTable = (of: Variants): string =>
  table(
    [code("type"), "Treatment", "Fields", "Note"],
    [...of.types].map(([type, variant]) => [
      code(type),
      variant.treatment,
      [...variant.fields].filter(([, rule]) => !isRefused(rule)).map(([name]) => code(name)).join(", "),
      [variant.note, variant.reasoning ? "Counted as reasoning." : ""].filter((note) => note !== "").join(" ")
    ])
  )

const toolTable = (): string =>
  table(
    [code("type"), "Treatment", "Note"],
    [
      ...[...toolTypes].map(([type, rule]) => [code(type), toolTreatment(type), rule.note]),
      ["any other", byPolicy, "Run by the upstream."]
    ]
  )

const byPolicy = "by the model's `hosted_tools`"

/** Asked of every place where the tool could run. */
const toolTreatment = (type: string): string => {
  const places = ["client", "server"].flatMap((execution) =>
    [undefined, "container"].map((environment) => clientRuns({ type, execution, environment }))
  )
  if (places.every((runs) => runs)) return "forwarded"
  return places.some((runs) => runs) ? `forwarded, or ${byPolicy}` : byPolicy
}
