/**
 * What a server says once it is ready: where it is, and how to make the first administrator. On a terminal a block that stands out,
 * else lines of the log. It is the one place where a secret is logged: the link works once, and anyone who reads the log of this
 * machine may make the administrator from its shell as well.
 */
import { Console, Effect, Option } from "effect"
import { AppConfig } from "../config/Config.ts"
import { openSetupLink, type SetupLink } from "../identity/SetupLinks.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { version } from "../platform/Version.ts"

export interface ServerFacts {
  /** Where people reach it, without a trailing slash. */
  readonly url: string
  /** Where it listens. */
  readonly listens: string
  readonly dataDir: string
  /** Processes that serve together. */
  readonly runners: number
  /** The process that takes signals. */
  readonly pid: number
  /** Its database is another server's. */
  readonly externalDatabase: boolean
  readonly setup: SetupLink | undefined
}

/** The block for a terminal. */
export const bannerOf = ({ dataDir, externalDatabase, listens, pid, runners, setup, url }: ServerFacts): string => {
  const rows: ReadonlyArray<readonly [name: string, value: string]> = [
    ["Console", url],
    ["API base", `${url}/v1`],
    ...(listens === url ? [] : [["Listens on", listens] as const]),
    ["Data folder", dataDir],
    ["Database", externalDatabase ? "PostgreSQL at database.url" : "embedded PostgreSQL, in the data folder"],
    ...(runners === 1 ? [] : [["Runners", `${runners} processes; kill -HUP ${pid} replaces them one by one`] as const]),
    ["Stop", "Ctrl+C: open calls are finished and settled first"]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    "",
    `  Realms ${version} is ready`,
    "",
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}   ${value}`),
    ...(setup === undefined ? [] : [
      "",
      `  There is no administrator yet. Open this link to make the account; it works once, for ${setup.hoursMax} hours:`,
      "",
      `  ${setup.url}`
    ]),
    ""
  ].join("\n")
}

/** The setup link of a start; a start does not fail where there can be none. */
export const setupLinkOfStart = openSetupLink.pipe(
  Effect.catch((error) =>
    Effect.as(
      Effect.logWarning(
        "no administrator yet, and no setup link could be made: `realms user create --role root`",
        error
      ),
      undefined
    )
  )
)

/** `listens` is the address that the server listens at. */
export const announceServer = Effect.fn("Cli.announceServer")(function*(listens: string) {
  const { database, dataDir, log, server } = yield* AppConfig
  yield* Effect.logInfo(`listening on ${listens}`)
  const setup = yield* setupLinkOfStart
  if (log.format === "pretty") {
    const url = (yield* PublicAddress).url()
    return yield* Console.error(
      bannerOf({
        url,
        listens,
        dataDir,
        pid: process.pid,
        runners: server.runners,
        externalDatabase: Option.isSome(database.url),
        setup
      })
    )
  }
  if (setup !== undefined) yield* Effect.logWarning(`no administrator yet: open ${setup.url} to make the account`)
})
