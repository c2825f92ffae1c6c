/**
 * One object as several API versions write it, and with its references expanded or left out: what a receiver of
 * webhooks meets when the version of its endpoint is not the one it was written for.
 */
import type { StripeObject } from "./StripeObjects.ts"
import { invalid, StripeRefused } from "./StripeRefused.ts"

/** The version of the account: what requests and events have that name no other. The newest of the SDK. */
export const ACCOUNT_VERSION = "2026-10-28.endive"

/** From this version on, a charge does not list its refunds, and an intent names its latest charge alone. */
const LISTS_GONE = "2022-11-15"

const isObject = (value: unknown): value is StripeObject =>
  typeof value === "object" && value !== null && "object" in value && typeof value.object === "string"

const without = (object: StripeObject, names: ReadonlyArray<string>): StripeObject => ({
  object: object.object,
  ...Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
})

/** What that version does not have. */
function absentIn(kind: string, version: string): ReadonlyArray<string> {
  const isOld = version < LISTS_GONE
  if (kind === "charge") return isOld ? [] : ["refunds"]
  if (kind === "payment_intent") return [isOld ? "latest_charge" : "charges"]
  return []
}

/** The object, and those within it, as the version writes them. */
export const inVersion = (object: StripeObject, version: string): StripeObject => {
  const own = without(object, absentIn(object.object, version))
  const written = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(written) : isObject(value) ? inVersion(value, version) : value
  return { ...own, ...Object.fromEntries(Object.entries(own).map(([name, value]) => [name, written(value)])) }
}

type Find = (id: string) => StripeObject | undefined

function expandedAt(object: StripeObject, path: string, find: Find): StripeObject {
  const [name = "", ...rest] = path.split(".")
  const value = object[name]
  const found = typeof value === "string" ? find(value) : isObject(value) ? value : undefined
  if (found === undefined && value !== null) {
    throw new StripeRefused(invalid(`This property cannot be expanded (${path}).`, undefined, "expand"))
  }
  if (found === undefined) return object
  return { ...object, [name]: rest.length === 0 ? found : expandedAt(found, rest.join("."), find) }
}

/** Puts objects in the place of their ids, along paths as `payment_intent.latest_charge`. */
export const expanded = (object: StripeObject, paths: ReadonlyArray<string>, find: Find): StripeObject =>
  paths.reduce((result, path) => expandedAt(result, path, find), object)

/** The object without some of its properties. */
export const omitting = (object: StripeObject, names: ReadonlyArray<string>): StripeObject => without(object, names)
