/**
 * Four kinds of tests: `unit` needs nothing but Node.js; `integration` (`*.int.test.ts`) runs against PostgreSQL and
 * real processes, a few files at a time; `browser` (`*.browser.test.ts`) looks at pages with Chromium, two files at a time;
 * `clients` (`*.clients.test.ts`) runs the packages of `test/clients` against the gateway. CI reads the counts from the
 * JSON report that VITEST_JSON names.
 */
import { defineConfig } from "vitest/config"

const INTEGRATION_WORKERS_MAX = 2
const INTEGRATION_TEST_TIMEOUT_MS = 60_000
const BROWSER_TEST_TIMEOUT_MS = 180_000
const INTEGRATION_HOOK_TIMEOUT_MS = 120_000

const jsonReport = process.env["VITEST_JSON"]

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    reporters: jsonReport === undefined ? ["default"] : ["default", "json"],
    ...(jsonReport === undefined ? {} : { outputFile: { json: jsonReport } }),
    passWithNoTests: false,
    allowOnly: process.env["CI"] === undefined,
    maxWorkers: INTEGRATION_WORKERS_MAX,
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["**/node_modules/**", "test/**/*.{int,browser,clients}.test.{ts,tsx}"]
        }
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.int.test.{ts,tsx}"],
          globalSetup: ["test/support/globalSetup.ts"],
          pool: "forks",
          fileParallelism: true,
          maxWorkers: INTEGRATION_WORKERS_MAX,
          testTimeout: INTEGRATION_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS,
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/**/*.browser.test.{ts,tsx}"],
          globalSetup: ["test/support/browserSetup.ts", "test/support/globalSetup.ts"],
          pool: "forks",
          maxWorkers: INTEGRATION_WORKERS_MAX,
          testTimeout: BROWSER_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS,
          sequence: { groupOrder: 2 }
        }
      },
      {
        extends: true,
        test: {
          name: "clients",
          include: ["test/clients/*.clients.test.ts"],
          globalSetup: ["test/clients/installClients.ts", "test/support/globalSetup.ts"],
          pool: "forks",
          maxWorkers: INTEGRATION_WORKERS_MAX,
          testTimeout: INTEGRATION_TEST_TIMEOUT_MS,
          hookTimeout: INTEGRATION_HOOK_TIMEOUT_MS,
          sequence: { groupOrder: 3 }
        }
      }
    ]
  }
})
