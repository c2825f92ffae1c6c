/**
 * Keeps the documentation of the API true: writes the admission tables into its marked regions.
 */
import { withRegion } from "../../domain/Markdown.ts"
import { admissionMarkdown } from "./AdmissionMarkdown.ts"
import type { Dialect } from "./Call.ts"

/** Where the documentation lies, from the project's folder. */
export const API_DOCS_PATH = "docs/api.md"

const dialects: ReadonlyArray<Dialect> = ["chat", "responses", "embeddings"]

/** The documentation with the tables as they are; what stands outside its marked regions is kept. */
export const printApiDocs = (text: string): string =>
  dialects.reduce(
    (printed, dialect) => withRegion(printed, `admission:${dialect}`, admissionMarkdown(dialect)),
    text
  )
