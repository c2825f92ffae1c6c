/**
 * Four kinds of tests: `unit` needs nothing but Node.js; `integration` (`*.int.test.ts`) runs against PostgreSQL and real
 * processes; `browser` (`*.browser.test.ts`) looks at pages with Chromium; `clients` (`*.clients.test.ts`) runs the packages of
 * `test/clients` against the gateway. Four files run at a time, since many wait more than they compute; browsers compute, and come
 * after the others, two at a time. CI reads the counts from the JSON report that VITEST_JSON names.
 */
import { defineConfig } from "vitest/config"

const WORKERS_MAX = 4
const BROWSER_WORKERS_MAX = 2
/** Bounds for what hangs: a busy machine takes its time. */
const UNIT_TEST_TIMEOUT_MS = 60_000
const INTEGRATION_TEST_TIMEOUT_MS = 120_000
const BROWSER_TEST_TIMEOUT_MS = 300_000
const INTEGRATION_HOOK_TIMEOUT_MS = 120_000

const jsonReport = process.env["VITEST_JSON"]

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    reporters: jsonReport === undefined ? ["default"] : ["default", "json"],
    ...(jsonReport === undefined ? {} : { outputFile: { json: jsonReport } }),
    passWithNoTests: false,
    allowOnly: process.env["CI"] === undefined,
    pool: "forks",
    // Files of a kind share what a worker has loaded: no test may leave anything behind in a module.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 0 },
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["**/node_modules/**", "test/**/*.{int,browser,clients}.test.{ts,tsx}"],
          testTimeout: UNIT_TEST_TIMEOUT_MS
        }
      },
      {
        extends: true,
        test: {
          name: "integration",
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 0 },
          include: ["test/**/*.int.test.{ts,tsx}"],
          globalSetup: ["test/support/globalSetup.ts"],
          testTimeout: INTEGRATION_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS
        }
      },
      {
        extends: true,
        test: {
          name: "browser",
          maxWorkers: BROWSER_WORKERS_MAX,
          sequence: { groupOrder: 1 },
          include: ["test/**/*.browser.test.{ts,tsx}"],
          globalSetup: ["test/support/browserSetup.ts", "test/support/globalSetup.ts"],
          testTimeout: BROWSER_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS
        }
      },
      {
        extends: true,
        test: {
          name: "clients",
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 0 },
          include: ["test/clients/*.clients.test.ts"],
          globalSetup: ["test/clients/installClients.ts", "test/support/globalSetup.ts"],
          testTimeout: INTEGRATION_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS
        }
      }
    ]
  }
})
