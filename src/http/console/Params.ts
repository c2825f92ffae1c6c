/**
 * What addresses and forms say as text, taken for what it may be: ids of rows, words, and pages of this site to go on to. What may
 * not be is left out, or answered "not found" without asking the database.
 */
import { Effect, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { idIn, type IdOf } from "../../domain/Ids.ts"
import { PageNotFound } from "./Answer.ts"

/** The id that a text is; undefined for what no id looks like. Without a schema it is a number of no kind. */
export function idOf(text: string | null | undefined): bigint | undefined
export function idOf<Id extends bigint>(text: string | null | undefined, id: IdOf<Id>): Id | undefined
export function idOf(text: string | null | undefined, id: IdOf<bigint> = Schema.BigInt): bigint | undefined {
  const number = idIn(text)
  return number === undefined ? undefined : id.make(number)
}

/** The id at `:name` in the route of the request at hand. */
export function pathId(name: string): Effect.Effect<bigint, PageNotFound, HttpRouter.RouteContext>
export function pathId<Id extends bigint>(
  name: string,
  id: IdOf<Id>
): Effect.Effect<Id, PageNotFound, HttpRouter.RouteContext>
export function pathId(name: string, id: IdOf<bigint> = Schema.BigInt) {
  return Effect.flatMap(HttpRouter.params, (params) => {
    const found = idOf(params[name], id)
    return found === undefined ? Effect.fail(new PageNotFound()) : Effect.succeed(found)
  })
}

/** As long as an e-mail address may be. */
const TEXT_CHARACTERS_MAX = 254

/** One of the known words. */
export const oneOf = <A extends string>(known: ReadonlyArray<A>, text: string | null | undefined): A | undefined =>
  known.find((value) => value === text)

/** What is searched for, if anything. PostgreSQL has no text with a NUL in it. Not for names of things: it may be a part of one. */
export const searchText = (query: URLSearchParams, name: string): string | undefined => {
  const text = (query.get(name) ?? "").replaceAll("\0", "").trim().slice(0, TEXT_CHARACTERS_MAX).toWellFormed()
  return text === "" ? undefined : text
}

/** Orders and users are written as `#7`. */
export const numberText = (text: string | undefined): string | undefined => text?.replace(/^#(?=.)/, "")

const PATH_LENGTH_MAX = 2_000

const here = "http://here.invalid"

/** Nothing that browsers read as something else than they show: `\` counts as `/`, control characters are dropped. */
const plainPath = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

/** The path with its query when it leads to a page of this site, else undefined. */
export const localPath = (text: string | null | undefined): string | undefined => {
  if (text === null || text === undefined || text.length > PATH_LENGTH_MAX || !plainPath.test(text)) return undefined
  if (!URL.canParse(text, here)) return undefined
  const url = new URL(text, here)
  // `/.//host` is plain to look at, and becomes `//host`.
  return url.origin === here && !url.pathname.startsWith("//") ? `${url.pathname}${url.search}` : undefined
}
