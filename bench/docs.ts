/**
 * Prints the admission tables into the documentation of the API. Run it when a table has changed; a test fails until then.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { API_DOCS_PATH, printApiDocs } from "../src/gateway/request/ApiDocs.ts"

writeFileSync(API_DOCS_PATH, printApiDocs(readFileSync(API_DOCS_PATH, "utf8")))
