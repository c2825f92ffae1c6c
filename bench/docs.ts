/**
 * Prints the admission tables into the documentation of the API, and the keys of config.yaml into that of the configuration. Run it
 * when one of them has changed; a test fails until then.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { CONFIG_DOCS_PATH, printConfigDocs } from "../src/config/ConfigMarkdown.ts"
import { API_DOCS_PATH, printApiDocs } from "../src/gateway/request/ApiDocs.ts"

const read = (path: string): string => readFileSync(path, "utf8")

writeFileSync(API_DOCS_PATH, printApiDocs(read(API_DOCS_PATH)))
writeFileSync(CONFIG_DOCS_PATH, printConfigDocs(read(CONFIG_DOCS_PATH), read("config.yaml")))
