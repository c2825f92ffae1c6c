/**
 * Which parameters the simulated Stripe knows, and of what kind they are. Like Stripe it refuses an unknown one, a
 * missing one, and a text where a number belongs.
 */
import type { Form, FormNode } from "./StripeForm.ts"
import { invalid, missing, type StripeRefusal, StripeRefused } from "./StripeRefused.ts"

const METADATA_KEYS_MAX = 50
const METADATA_KEY_CHARACTERS_MAX = 40
const METADATA_VALUE_CHARACTERS_MAX = 500

/** `whatever` is known to Stripe but means nothing here. */
export type Shape = "text" | "integer" | "boolean" | "address" | "metadata" | "whatever" | Fields | {
  readonly list: Shape
}

export interface Fields {
  readonly fields: { readonly [name: string]: Shape }
  readonly required?: ReadonlyArray<string>
}

const unset = (name: string): StripeRefusal =>
  invalid(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however ` +
      `'${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    "parameter_invalid_empty",
    name
  )

const isAddress = (text: string): boolean => /^https?:\/\/[^\s/]/.test(text) && URL.canParse(text)

function textComplaint(shape: Shape, text: string, name: string): StripeRefusal | undefined {
  if (shape === "whatever") return undefined
  if (typeof shape === "object") return invalid("list" in shape ? "Invalid array" : "Invalid object", undefined, name)
  if (shape === "metadata") return text === "" ? undefined : invalid("Invalid object", undefined, name)
  if (text === "") return unset(name)
  if (shape === "integer" && !/^-?\d{1,15}$/.test(text)) {
    return invalid(`Invalid integer: ${text}`, "parameter_invalid_integer", name)
  }
  if (shape === "boolean" && text !== "true" && text !== "false") {
    return invalid(`Invalid boolean: ${text}`, undefined, name)
  }
  if (shape === "address" && !isAddress(text)) {
    return invalid("Not a valid URL: an explicit scheme (such as https) must be provided.", "url_invalid", name)
  }
  return undefined
}

function metadataComplaint(form: Form, name: string): StripeRefusal | undefined {
  if (form.size > METADATA_KEYS_MAX) {
    return invalid(`Metadata can have at most ${METADATA_KEYS_MAX} keys`, undefined, name)
  }
  for (const [key, value] of form) {
    if (typeof value !== "string") return invalid("Metadata values must be strings", undefined, `${name}[${key}]`)
    if (key.length > METADATA_KEY_CHARACTERS_MAX) {
      return invalid(`Metadata keys can be at most ${METADATA_KEY_CHARACTERS_MAX} characters`, undefined, name)
    }
    if (value.length > METADATA_VALUE_CHARACTERS_MAX) {
      return invalid(
        `Metadata values can have up to ${METADATA_VALUE_CHARACTERS_MAX} characters`,
        undefined,
        `${name}[${key}]`
      )
    }
  }
  return undefined
}

function complaint(shape: Shape, node: FormNode, name: string): StripeRefusal | undefined {
  if (typeof node === "string") return textComplaint(shape, node, name)
  if (shape === "whatever") return undefined
  if (shape === "metadata") return metadataComplaint(node, name)
  if (typeof shape === "string") return invalid(`Invalid string: ${name}`, undefined, name)
  if ("fields" in shape) return fieldsComplaint(shape, node, name)
  for (const [index, item] of node) {
    if (!/^\d+$/.test(index)) return invalid("Invalid array", undefined, name)
    const found = complaint(shape.list, item, `${name}[${index}]`)
    if (found !== undefined) return found
  }
  return undefined
}

function fieldsComplaint(shape: Fields, form: Form, prefix: string): StripeRefusal | undefined {
  const nameOf = (name: string): string => prefix === "" ? name : `${prefix}[${name}]`
  for (const [name, node] of form) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
    const full = nameOf(name)
    if (field === undefined) return invalid(`Received unknown parameter: ${full}`, "parameter_unknown", full)
    const found = complaint(field, node, full)
    if (found !== undefined) return found
  }
  const lacking = shape.required?.find((name) => !form.has(name))
  return lacking === undefined ? undefined : missing(nameOf(lacking))
}

/** Throws `StripeRefused` when the form does not have the shape. */
export function checkForm(shape: Fields, form: Form): void {
  const found = fieldsComplaint(shape, form, "")
  if (found !== undefined) throw new StripeRefused(found)
}
