/**
 * What the integration tests of a run share: one embedded PostgreSQL with a migrated template database, started by the
 * global setup, which hands its address to the tests.
 */

declare module "vitest" {
  interface ProvidedContext {
    /** URL of a database on the run's server from which databases can be created. */
    readonly testServerUrl: string
  }
}

/** The database that every test database is a copy of. Nobody may be connected to it. */
export const TEMPLATE_DATABASE = "realms_template"

/** The same server, another database. */
export const withDatabase = (url: string, database: string): string => {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
