/**
 * How the administration's API answers: a handler gives what a use case gives, and what the use case refuses is answered by the
 * table of `ApiRefusals.ts`. A handler compiles where its endpoint declares every error that can come of it.
 */
import { Effect, type Layer, Record } from "effect"
import { type HttpApi, HttpApiBuilder, type HttpApiEndpoint, type HttpApiGroup } from "effect/http-api"
import type { AdminAccess, CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi, type ReadableRequests } from "./AdminApi.ts"
import { refusals } from "./ApiRefusals.ts"

type Refusals = typeof refusals

/** The errors that the table makes one of `Declared`. */
type Refused<Declared> = {
  readonly [Tag in keyof Refusals]: Refusals[Tag] extends (error: infer E) => Effect.Effect<never, infer Said>
    ? [Said] extends [Declared] ? { readonly _tag: Tag } & E : never
    : never
}[keyof Refusals]

type Declared<Endpoint extends HttpApiEndpoint.Constraint> =
  | Endpoint["~Error"]["Type"]
  | HttpApiEndpoint.MiddlewareError<Endpoint>

type Groups = typeof AdminApi extends HttpApi.HttpApi<infer _Id, infer Groups> ? Groups : never

/** A handler for each endpoint of a group. */
type Answers<Group extends string> = {
  readonly [E in HttpApiGroup.EndpointsWithIdentifier<Groups, Group> as E["identifier"]]: HttpApiEndpoint.Handler<
    E,
    HttpApiEndpoint.MiddlewareError<E> | Refused<Declared<E>>,
    CurrentAdmin
  >
}

type Handle = (request: never) => Effect.Effect<unknown, Refused<unknown>, CurrentAdmin>

const withRefusals = (handle: Handle) => (request: never) => Effect.catchTags(handle(request), refusals)

/** The handlers of a group, made once the services are there. */
export const answersOf = <Group extends HttpApiGroup.Identifier<Groups>, R>(
  group: Group,
  make: Effect.Effect<Answers<Group>, never, R>
) => {
  // The library's types are more than TypeScript follows for a group that it does not know yet; `Answers` says the same.
  const build = (handlers: { readonly handleAll: (answers: object) => never }) =>
    Effect.map(
      make,
      (answers) => handlers.handleAll(Record.map(answers as Readonly<Record<string, Handle>>, withRefusals))
    )
  return HttpApiBuilder.group(AdminApi, group, build as () => never) as Layer.Layer<
    HttpApiGroup.Service<"realms-admin", Group>,
    never,
    R | AdminAccess | ReadableRequests
  >
}

/** A list, as the API says it. */
export const listed = <A, E, R>(items: Effect.Effect<A, E, R>) => Effect.map(items, (items) => ({ items }))
