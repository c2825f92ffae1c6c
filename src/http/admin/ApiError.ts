/**
 * How the administration's API says no: JSON with a `_tag` that programs read and a `message` for people. No secret is ever in
 * one, and what the database or a provider said is not passed on.
 */
import { DateTime, Effect, Option, Schema } from "effect"

const said = { message: Schema.String }

const withProblems = { ...said, problems: Schema.Record(Schema.String, Schema.String) }

/** No credentials, or none that are good. */
export class ApiUnauthorized
  extends Schema.TaggedError<ApiUnauthorized>()("Unauthorized", said, { httpApiStatus: 401 })
{}

/** Good credentials of somebody who is no administrator; a session without its token. */
export class ApiForbidden extends Schema.TaggedError<ApiForbidden>()("Forbidden", said, { httpApiStatus: 403 }) {}

export class ApiNotFound extends Schema.TaggedError<ApiNotFound>()("NotFound", said, { httpApiStatus: 404 }) {}

/** The request cannot be read as what the endpoint takes; each problem under its path. */
export class ApiBadRequest
  extends Schema.TaggedError<ApiBadRequest>()("BadRequest", withProblems, { httpApiStatus: 400 })
{}

/** Somebody else has changed it since it was read, it exists already, or it is in no state for this. Nothing has changed. */
export class ApiConflict extends Schema.TaggedError<ApiConflict>()("Conflict", said, { httpApiStatus: 409 }) {}

/** Nothing has changed yet: it waits for a second person, see `/api/admin/confirmations`. */
export class ApiAccepted extends Schema.TaggedError<ApiAccepted>()("ConfirmationPending", {
  ...said,
  confirmation_id: Schema.String,
  expires_at: Schema.String
}, { httpApiStatus: 202 }) {}

/** Understood and refused; each problem under the name of its field. Nothing has changed. */
export class ApiRefused extends Schema.TaggedError<ApiRefused>()("Refused", withProblems, { httpApiStatus: 422 }) {}

/** Of a change of something that is there. */
export const changeErrors = [ApiNotFound, ApiConflict] as const

/** The same, of what somebody wrote. */
export const editErrors = [...changeErrors, ApiRefused] as const

/** The same where a second person may have to confirm it. */
export const confirmedErrors = [...editErrors, ApiAccepted] as const

/** The database, or a provider, did not answer. Any endpoint may say so; none declares it. */
export class ApiUnavailable extends Schema.TaggedError<ApiUnavailable>()("Unavailable", said, { httpApiStatus: 503 }) {}

/** One field is wrong. */
export const refusedField = (field: string, message: string): ApiRefused =>
  new ApiRefused({ message: `${field}: ${message}`, problems: { [field]: message } })

/** A moment in ISO 8601; undefined where none is given. */
export const dateOf = (field: string, text: string | undefined): Effect.Effect<Date | undefined, ApiRefused> => {
  if (text === undefined) return Effect.undefined
  const moment = DateTime.make(text)
  return Option.isNone(moment)
    ? Effect.fail(refusedField(field, "is a moment in ISO 8601"))
    : Effect.succeed(DateTime.toDateUtc(moment.value))
}

/** The same in milliseconds since the epoch. */
export const millisOf = (field: string, text: string | undefined): Effect.Effect<number | undefined, ApiRefused> =>
  Effect.map(dateOf(field, text), (moment) => moment?.getTime())

/** A period of moments in ISO 8601, in milliseconds since the epoch; undefined where an end is not given. */
export const periodOf = Effect.fnUntraced(function*(query: { readonly from?: string; readonly to?: string }) {
  return { fromMs: yield* millisOf("from", query.from), toMs: yield* millisOf("to", query.to) }
})
