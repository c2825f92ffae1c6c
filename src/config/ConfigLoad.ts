/**
 * Loads the configuration: config.yaml and the environment, checked as a whole and turned into exact, typed values with
 * every default filled in. A wrong one gives a single readable message with all its problems, each under its path.
 * @internal
 */
import { Effect, type LogLevel, Option, Redacted, Result, Schema, SchemaAST } from "effect"
import { resolve } from "node:path"
import { checkConfig } from "./ConfigChecks.ts"
import { applyEnvironment, configLocation, type Environment, readConfigFile, withoutEmptyKeys } from "./ConfigFile.ts"
import { ConfigInvalid } from "./ConfigInvalid.ts"
import { type ConfigProblem, formatPath, formatProblems, problemsOf, unknownKeys } from "./ConfigProblem.ts"
import { ConfigDocument, withSections } from "./ConfigSchema.ts"
import { modelOf } from "./ConfigTerms.ts"
import type { RealmsConfig, ServerConfig } from "./RealmsConfig.ts"

const levels: Record<ConfigDocument["log"]["level"], LogLevel.LogLevel> = {
  all: "All",
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  fatal: "Fatal",
  none: "None"
}

const secretOption = (secret: Redacted.Redacted<string>): Option.Option<Redacted.Redacted<string>> =>
  Redacted.value(secret) === "" ? Option.none() : Option.some(secret)

/** The wildcard addresses are listened on, not visited: their URL names this machine. */
const urlOf = (host: string, port: number): string => {
  const visited = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
  return `http://${visited.includes(":") ? `[${visited}]` : visited}:${port}`
}

/** The address that people use; `portBound` is the port really listened on, when the configured one was 0. */
export const publicUrlFor = (server: ServerConfig, portBound: number = server.port): string =>
  server.publicUrlFollows ? urlOf(server.host, portBound) : server.publicUrl

const serverOf = ({ server }: ConfigDocument): ServerConfig => ({
  ...server,
  publicUrl: server.publicUrl === "" ? urlOf(server.host, server.port) : server.publicUrl,
  publicUrlFollows: server.publicUrl === ""
})

const configOf = (document: ConfigDocument, options: LoadOptions): RealmsConfig => ({
  server: serverOf(document),
  cluster: document.cluster,
  dataDir: resolve(options.cwd, document.dataDir),
  database: { url: secretOption(document.database.url) },
  site: document.site,
  seller: document.seller,
  smtp: document.smtp,
  registration: document.registration,
  security: document.security,
  signIn: document.signIn,
  limits: document.limits,
  retention: document.retention,
  finance: document.finance,
  billing: document.billing,
  payment: document.payment,
  channels: document.channels,
  models: document.models.map(modelOf),
  plans: document.plans,
  groups: document.groups,
  masterKey: Option.map(
    Option.fromNullishOr(options.env["REALMS_MASTER_KEY"] || undefined),
    (key) => Redacted.make(key)
  ),
  telemetry: document.telemetry,
  log: {
    format: document.log.format ?? (process.stderr.isTTY ? "pretty" : "json"),
    level: levels[document.log.level],
    access: document.log.access,
    calls: document.log.calls
  }
})

const decodeDocument = Schema.decodeUnknownResult(ConfigDocument, { errors: "all" })

/** Decodes a parsed document; the failure is every problem found, ready to print. */
const decode = (parsed: unknown, options: LoadOptions, source: string): Result.Result<RealmsConfig, string> => {
  const raw = applyEnvironment(parsed, options.env)
  const decoded = decodeDocument(withSections(withoutEmptyKeys(raw.document)))
  const reported = new Set(raw.problems.map((problem) => formatPath(problem.path)))
  const invalid: ReadonlyArray<ConfigProblem> = Result.isFailure(decoded)
    ? problemsOf(decoded.failure.issue)
    : checkConfig(decoded.success)
  const problems = [
    ...raw.problems,
    ...unknownKeys(SchemaAST.toEncoded(ConfigDocument.ast), raw.document),
    ...invalid.filter((problem) => !reported.has(formatPath(problem.path)))
  ]
  if (Result.isSuccess(decoded) && problems.length === 0) return Result.succeed(configOf(decoded.success, options))
  return Result.fail(formatProblems(source, problems, raw.overridden))
}

export interface LoadOptions {
  /** Where `./config.yaml` and relative paths start. */
  readonly cwd: string
  readonly env: Environment
}

/** Reads, checks and completes the configuration. */
export const load = Effect.fn("Config.load")(function*(options: LoadOptions) {
  const location = configLocation(options.cwd, options.env)
  const invalid = (message: string) => new ConfigInvalid({ path: location.path, message })
  const parsed = yield* Effect.mapError(readConfigFile(location), invalid)
  const decoded = decode(parsed, options, location.path)
  return yield* Effect.mapError(Effect.fromResult(decoded), invalid)
})

/** A configuration for tests from a part of the YAML document; throws what is wrong with it. */
export const testConfig = (document: unknown = {}, env: Environment = {}): RealmsConfig =>
  Result.getOrThrowWith(decode(document, { cwd: process.cwd(), env }, "test"), (message) => new Error(message))
