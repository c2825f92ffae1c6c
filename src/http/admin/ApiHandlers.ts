/**
 * How an area of the administration's API is said and answered. A handler gets the request and the administrator who sent it, and
 * gives what a use case gives; what the use case refuses is answered by the table of `ApiRefusals.ts`. A handler compiles where
 * its endpoint declares every error that can come of it.
 */
import { Effect, type Layer, Record } from "effect"
import {
  HttpApi,
  HttpApiBuilder,
  type HttpApiEndpoint,
  HttpApiGroup,
  type HttpApiMiddleware,
  OpenApi
} from "effect/http-api"
import { AdminAccess, type Administrator, CurrentAdmin } from "./AdminAccess.ts"
import { refusals } from "./ApiRefusals.ts"
import { ReadableRequests } from "./ReadableRequests.ts"

/** Begins an area; its endpoints are added. */
export const area = <const Id extends string>(id: Id, title: string, description: string) =>
  HttpApiGroup.make(id).annotateMerge(OpenApi.annotations({ title, description }))

/** What all areas have; middleware is for the areas that were added before it. */
export const guarded = <Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<"realms-admin", Groups>) =>
  api.middleware(AdminAccess).middleware(ReadableRequests).prefix("/api/admin")

type Guards = AdminAccess | ReadableRequests

type Refusals = typeof refusals

/** The errors that the table makes one of `Declared`. */
type Refused<Declared> = {
  readonly [Tag in keyof Refusals]: Refusals[Tag] extends (error: infer E) => Effect.Effect<never, infer Said>
    ? [Said] extends [Declared] ? { readonly _tag: Tag } & E : never
    : never
}[keyof Refusals]

type GuardError = HttpApiMiddleware.Error<Guards>

type Handler<Endpoint extends HttpApiEndpoint.Constraint> = HttpApiEndpoint.Handler<
  Endpoint,
  GuardError | Refused<Endpoint["~Error"]["Type"] | GuardError>,
  never
>

/** A handler for each endpoint of an area. */
type Answers<Group> = {
  readonly [E in HttpApiGroup.Endpoints<Group> as E["identifier"]]: (
    request: Parameters<Handler<E>>[0],
    admin: Administrator
  ) => ReturnType<Handler<E>>
}

type Handle = (request: never, admin: Administrator) => Effect.Effect<unknown, Refused<unknown>>

const withRefusals = (handle: Handle) => (request: never) =>
  Effect.flatMap(CurrentAdmin, (admin) => Effect.catchTags(handle(request, admin), refusals))

/** The handlers of an area, made of the services that it needs: of one, or of several by name. */
export const answersOf =
  <Group extends HttpApiGroup.Constraint>(group: Group) =>
  <Services, R>(services: Effect.Effect<Services, never, R>, make: (services: Services) => Answers<Group>) => {
    // The library's types are more than TypeScript follows for a group that it does not know yet; `Answers` says the same.
    const build = (handlers: { readonly handleAll: (answers: object) => never }) =>
      Effect.map(
        services,
        (found) => handlers.handleAll(Record.map(make(found) as Readonly<Record<string, Handle>>, withRefusals))
      )
    const api = guarded(HttpApi.make("realms-admin").add(group as HttpApiGroup.Constraint as HttpApiGroup.Top))
    return HttpApiBuilder.group(api, group.identifier, build as () => never) as Layer.Layer<
      HttpApiGroup.Service<"realms-admin", Group["identifier"]>,
      never,
      R | Guards
    >
  }

/** A list, as the API says it. */
export const listed = <A, E, R>(items: Effect.Effect<A, E, R>) => Effect.map(items, (items) => ({ items }))
