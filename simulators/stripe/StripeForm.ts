/**
 * Stripe's form encoding: `line_items[0][price_data][currency]=cny` is a tree of names. A list is a branch whose names
 * are its indices, or `[]` for the next one.
 */
import { invalid, StripeRefused } from "./StripeRefused.ts"

const PARAMETERS_MAX = 1000
const DEPTH_MAX = 8

export type FormNode = string | Form
export type Form = ReadonlyMap<string, FormNode>

type Branch = Map<string, string | Branch>

/** `a[b][]` as its names; an empty one stands for the next index. */
const namesOf = (key: string): ReadonlyArray<string> => {
  const [first = "", ...rest] = key.split("[")
  return [first, ...rest.map((name) => name.endsWith("]") ? name.slice(0, -1) : name)]
}

function put(root: Branch, key: string, value: string): void {
  const names = namesOf(key)
  if (names.length > DEPTH_MAX) throw new StripeRefused(invalid(`Too deeply nested: ${key}`))
  let branch = root
  for (const [depth, given] of names.entries()) {
    const name = given === "" ? String(branch.size) : given
    const isLast = depth === names.length - 1
    const found = branch.get(name)
    if (isLast || typeof found === "string") {
      if (!isLast || typeof found === "object") throw new StripeRefused(invalid(`Invalid parameter: ${key}`))
      branch.set(name, value)
      return
    }
    const next: Branch = found ?? new Map<string, string | Branch>()
    branch.set(name, next)
    branch = next
  }
}

/** Parses a body or a query. */
export function parseForm(text: string): Form {
  const root: Branch = new Map<string, string | Branch>()
  const pairs = [...new URLSearchParams(text)]
  if (pairs.length > PARAMETERS_MAX) throw new StripeRefused(invalid("Too many parameters."))
  for (const [key, value] of pairs) put(root, key, value)
  return root
}

export const nodeAt = (form: Form, ...path: ReadonlyArray<string>): FormNode | undefined => {
  let node: FormNode | undefined = form
  for (const name of path) node = typeof node === "object" ? node.get(name) : undefined
  return node
}

export const textAt = (form: Form, ...path: ReadonlyArray<string>): string | undefined => {
  const node = nodeAt(form, ...path)
  return typeof node === "string" ? node : undefined
}

export const integerAt = (form: Form, ...path: ReadonlyArray<string>): number | undefined => {
  const text = textAt(form, ...path)
  return text === undefined ? undefined : Number(text)
}

/** The branches or texts of a list. */
export const listAt = (form: Form, ...path: ReadonlyArray<string>): ReadonlyArray<FormNode> => {
  const node = nodeAt(form, ...path)
  return typeof node === "object" ? [...node.values()] : []
}

export const textsAt = (form: Form, ...path: ReadonlyArray<string>): ReadonlyArray<string> =>
  listAt(form, ...path).filter((node) => typeof node === "string")

/** A branch of texts, as metadata are. */
export const recordAt = (form: Form, ...path: ReadonlyArray<string>): { readonly [name: string]: string } => {
  const node = nodeAt(form, ...path)
  if (typeof node !== "object") return {}
  return Object.fromEntries([...node].flatMap(([name, value]) => typeof value === "string" ? [[name, value]] : []))
}
