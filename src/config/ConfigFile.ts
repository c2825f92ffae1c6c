/**
 * Reads config.yaml and applies the environment to it: `${NAME}` and `${NAME:-default}` inside parsed text values (so a
 * variable can never change the structure of the file), then the overrides `HOST`, `PORT` and `DATABASE_URL`. What it
 * returns is still untyped; the schema judges it.
 * @internal
 */
import { Effect } from "effect"
import { Yaml } from "effect/encoding"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { type ConfigPath, type ConfigProblem, formatPath } from "./ConfigProblem.ts"
import { isMapping } from "./Mapping.ts"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface RawConfig {
  readonly document: unknown
  readonly problems: ReadonlyArray<ConfigProblem>
  /** Paths whose value came from an environment override, with the name of the variable. */
  readonly overridden: ReadonlyMap<string, string>
}

/** The file to read: REALMS_CONFIG, else config.yaml in the working directory, which may be absent. */
export const configLocation = (
  cwd: string,
  env: Environment
): { readonly path: string; readonly mayBeAbsent: boolean } =>
  env["REALMS_CONFIG"]
    ? { path: resolve(cwd, env["REALMS_CONFIG"]), mayBeAbsent: false }
    : { path: resolve(cwd, "config.yaml"), mayBeAbsent: true }

const errorText = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const isAbsent = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** The parsed file, `null` when it may be absent and is. Fails with the text of the problem. */
export const readConfigFile = Effect.fnUntraced(function*(location: ReturnType<typeof configLocation>) {
  const text = yield* Effect.tryPromise({
    try: () =>
      readFile(location.path, "utf8").catch((cause: unknown) => {
        if (location.mayBeAbsent && isAbsent(cause)) return undefined
        throw cause
      }),
    catch: (cause) => `The configuration file cannot be read: ${errorText(cause)}`
  })
  if (text === undefined) return null
  return yield* Effect.try({
    try: () => Yaml.parse(text),
    catch: (cause) => `The configuration file is not valid YAML (${location.path}): ${errorText(cause)}`
  })
})

const referencePattern = /\$\{([^}]*)\}/g
const variablePattern = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/** A channel whose key is not set is kept, disabled; everything else must be set. */
const mayBeUnset = (path: ConfigPath): boolean =>
  path[0] === "channels" && (path[2] === "api_key" || (path[2] === "api_keys" && path.length === 4))

const substituteText = (text: string, path: ConfigPath, env: Environment, problems: Array<ConfigProblem>): string =>
  text.replaceAll(referencePattern, (_, reference: string) => {
    const [, name, fallback] = variablePattern.exec(reference) ?? []
    if (name === undefined) {
      problems.push({ path, message: "malformed substitution: write ${NAME} or ${NAME:-default}" })
      return ""
    }
    const value = env[name]
    if (fallback !== undefined) return value ? value : fallback
    if (value === undefined && !mayBeUnset(path)) {
      problems.push({ path, message: `environment variable ${name} is not set; set it or write \${${name}:-default}` })
    }
    return value ?? ""
  })

const substitute = (raw: unknown, path: ConfigPath, env: Environment, problems: Array<ConfigProblem>): unknown => {
  if (typeof raw === "string") return substituteText(raw, path, env, problems)
  if (Array.isArray(raw)) return raw.map((value, index) => substitute(value, [...path, index], env, problems))
  if (typeof raw !== "object" || raw === null) return raw
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [key, substitute(value, [...path, key], env, problems)])
  )
}

/** Drops keys without a value, which mean the same as keys left out. */
export const withoutEmptyKeys = (raw: unknown): unknown => {
  if (Array.isArray(raw)) return raw.map(withoutEmptyKeys)
  if (typeof raw !== "object" || raw === null) return raw
  return Object.fromEntries(
    Object.entries(raw).filter(([, value]) => value !== null).map(([key, value]) => [key, withoutEmptyKeys(value)])
  )
}

/** Variables that win over the file, with what they set. */
export const environmentOverrides: ReadonlyArray<readonly [variable: string, path: readonly [string, string]]> = [
  ["HOST", ["server", "host"]],
  ["PORT", ["server", "port"]],
  ["DATABASE_URL", ["database", "url"]]
]

/** Sets a key of a section; where the file has something else than mappings, the schema will say so. */
const setAt = (document: unknown, [section, key]: readonly [string, string], value: string): unknown => {
  if (!isMapping(document)) return document
  const values = document[section] ?? {}
  return isMapping(values) ? { ...document, [section]: { ...values, [key]: value } } : document
}

/** Applies substitution and overrides to a parsed document; a variable set to nothing overrides nothing. */
export const applyEnvironment = (parsed: unknown, env: Environment): RawConfig => {
  const problems: Array<ConfigProblem> = []
  const overridden = new Map<string, string>()
  let document = substitute(parsed ?? {}, [], env, problems)
  for (const [variable, path] of environmentOverrides) {
    const value = env[variable]
    if (!value) continue
    document = setAt(document, path, value)
    overridden.set(formatPath(path), variable)
  }
  return {
    document,
    problems: problems.filter((problem) => !overridden.has(formatPath(problem.path))),
    overridden
  }
}
