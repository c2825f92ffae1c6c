/**
 * The language of the admission tables: what happens to a field, and of which shape its value must be. The tables are data,
 * which one reader applies to calls and one printer turns into documentation.
 *
 * @internal
 */
import { rememberKey } from "./KnownKeys.ts"

/**
 * Priced: the gateway reads it, and it decides what the call may cost. Forwarded: checked and sent on. Dropped: taken out and
 * named to the client. Refused: the call is 400.
 */
export type Treatment = "priced" | "forwarded" | "dropped" | "refused"

/** What costs a fixed overhead. */
export type Unit = "message" | "part" | "tool"

/** What a value must be. `null` fits every shape: it counts as absent. */
export type Shape =
  | { readonly kind: "text"; readonly of?: ReadonlyArray<string>; readonly charsMax?: number }
  /** An array of strings. */
  | { readonly kind: "texts"; readonly of?: ReadonlyArray<string> }
  | { readonly kind: "boolean" | "number" | "scalar" }
  | { readonly kind: "integer"; readonly least: number; readonly most: number }
  /**
   * Any JSON; it belongs to the client, so nothing in it is looked at. Its bytes are counted. `pictures`: an upstream may show the model
   * the images in it, which are counted, too.
   */
  | { readonly kind: "client"; readonly only?: "object" | "array"; readonly pictures?: true }
  | { readonly kind: "object"; readonly fields: Fields }
  | { readonly kind: "list"; readonly of: Shape; readonly least?: number; readonly unit?: Unit }
  | { readonly kind: "either"; readonly of: ReadonlyArray<Shape> }
  /** An object whose `type` chooses its fields. A function, because parts contain parts. */
  | { readonly kind: "variant"; readonly of: () => Variants }
  | { readonly kind: "tool" }
  /** An image by URL: it is counted as an image, and its URL is no text. */
  | { readonly kind: "imageUrl" }
  /** An image as bare base64. */
  | { readonly kind: "imageData" }
  /** An inline file as base64. */
  | { readonly kind: "fileData" }
  /** The name or the media type of a file: films and sounds are refused by it. */
  | { readonly kind: "fileKind" }
  /** A token array. */
  | { readonly kind: "tokens" }
  /** Lets the upstream run a tool, named after the field. */
  | { readonly kind: "hosted" }
  /** A lifetime of cached input; one that is not in `usual` may have a price of its own. */
  | { readonly kind: "cacheTtl"; readonly usual: ReadonlyArray<string> }
  /** The id of a stored response. */
  | { readonly kind: "responseId" }

export interface FieldRule {
  readonly treatment: Treatment
  readonly shape: Shape
  readonly note: string
  /** It does not reach the model as text, so its bytes are not counted. */
  readonly uncounted?: true
  /** Upstreams may leave it out of the prompt, so it is in no lower bound. */
  readonly reasoning?: true
  readonly unit?: Unit
  /** Of a refused field: values that mean that it is switched off, as JSON. They pass. */
  readonly off?: ReadonlyArray<string>
  /** Sent only to channels that are marked to know the field. */
  readonly knownOnly?: true
  /** Sent as a code that only this user's values get. */
  readonly identity?: true
}

export type Fields = ReadonlyMap<string, FieldRule>

export interface Variant {
  readonly treatment: "forwarded" | "refused"
  readonly fields: Fields
  readonly note: string
  readonly reasoning?: true
  /** Of an item: without any of these fields it refers to a stored one, if it has an id. */
  readonly content?: ReadonlyArray<string>
  /** Of an item: empty content is no content. */
  readonly emptyIsAbsent?: true
}

export interface Variants {
  /** What such an object is called in messages. */
  readonly noun: string
  readonly types: ReadonlyMap<string, Variant>
  /** The type of an object that names none; absent: it must name one. */
  readonly untyped?: string
  /** Every field name of every type: a name that only looks like one of them is ambiguous. */
  readonly names: Fields
}

export const text: Shape = { kind: "text" }
export const texts: Shape = { kind: "texts" }
export const boolean: Shape = { kind: "boolean" }
export const number: Shape = { kind: "number" }
export const scalar: Shape = { kind: "scalar" }
export const client: Shape = { kind: "client" }
export const clientWithPictures: Shape = { kind: "client", pictures: true }
export const clientObject: Shape = { kind: "client", only: "object" }
export const clientArray: Shape = { kind: "client", only: "array" }
export const tool: Shape = { kind: "tool" }
export const integer = (least: number, most: number): Shape => ({ kind: "integer", least, most })
export const object = (fields: Fields): Shape => ({ kind: "object", fields })
export const list = (of: Shape, options: { readonly least?: number; readonly unit?: Unit } = {}): Shape => ({
  kind: "list",
  of,
  ...options
})
export const either = (...of: ReadonlyArray<Shape>): Shape => ({ kind: "either", of })
export const oneOf = (...of: ReadonlyArray<string>): Shape => ({ kind: "text", of })

type Options = Omit<FieldRule, "treatment" | "shape" | "note">

export const priced = (shape: Shape, note: string, options: Options = {}): FieldRule => ({
  treatment: "priced",
  shape,
  note,
  ...options
})

export const forwarded = (shape: Shape, note = "", options: Options = {}): FieldRule => ({
  treatment: "forwarded",
  shape,
  note,
  ...options
})

/** Forwarded, and no text for the model. */
export const setting = (shape: Shape, note = "", options: Options = {}): FieldRule => ({
  ...forwarded(shape, note, options),
  uncounted: true
})

export const dropped = (note: string): FieldRule => ({ treatment: "dropped", shape: client, note, uncounted: true })

export const refused = (note: string, options: Options & { readonly shape?: Shape } = {}): FieldRule => ({
  treatment: "refused",
  shape: client,
  note,
  uncounted: true,
  ...options
})

export const fields = (rules: Readonly<Record<string, FieldRule>>): Fields => {
  const entries = Object.entries(rules)
  for (const [key] of entries) rememberKey(key)
  return new Map(entries)
}

/** Several tables as one; of a field in two of them the last counts. */
export const together = (...tables: ReadonlyArray<Fields>): Fields =>
  new Map(tables.flatMap((table) => Array.from(table)))

export const variants = (
  noun: string,
  types: Readonly<Record<string, Variant>>,
  untyped?: string
): Variants => {
  const entries = Object.entries(types)
  for (const [type] of entries) rememberKey(type)
  return {
    noun,
    types: new Map(entries),
    names: together(...entries.map(([, variant]) => variant.fields), fields({ type: forwarded(text) })),
    ...(untyped === undefined ? {} : { untyped })
  }
}
