/**
 * `/api/admin/confirmations`: what is above the limit of one person and waits for a second one.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { Confirmations, confirmationStates } from "../../confirmations/Confirmations.ts"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { confirmedActions } from "../../platform/SecondPerson.ts"
import { ApiNotFound, changeErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { documented, itemsOf, pageQuery, rangeOf } from "./ApiSchema.ts"

const params = { id: IdJson }

const Fact = Schema.NullOr(Schema.Union([Schema.String, Schema.Number, Schema.Boolean]))

const Confirmation = Json({
  id: IdJson,
  action: Schema.Literals(confirmedActions),
  state: Schema.Literals(confirmationStates),
  /** What comes of it; amounts and ids are decimal texts. */
  facts: Schema.Record(Schema.String, Fact),
  /** What it is worth, by the limit that counts, or by both; both null: without bound, or a limit itself. */
  usdMicros: Schema.NullOr(AmountJson),
  fen: Schema.NullOr(AmountJson),
  note: Schema.String,
  requestedBy: IdJson,
  requester: Schema.String,
  /** `user:ID` in the console or by a session, `key:ID` by a key of the API, `cli` by a command. */
  requestedAs: Schema.String,
  /** Of the client; empty where it is not known. */
  address: Schema.String,
  requestedAt: MomentJson,
  expiresAt: MomentJson,
  /** Who confirmed or rejected it. */
  closedBy: Schema.NullOr(IdJson),
  closer: Schema.NullOr(Schema.String),
  closedAt: Schema.NullOr(MomentJson),
  closeNote: Schema.String
}).pipe(documented("Confirmation"))

const { get, post } = HttpApiEndpoint

export class ConfirmationsApi extends area(
  "confirmations",
  "Confirmations",
  "Money moved by hand above `finance.confirm_above_usd` or `finance.confirm_above_cny` is answered 202 and waits here for seven " +
    "days: a second person confirms it, and it is done at once, or rejects it. Its requester can only withdraw it."
).add(
  get("listConfirmations", "/confirmations", {
    query: { ...pageQuery, state: Schema.optionalKey(Schema.Literals(confirmationStates)) },
    success: itemsOf(Confirmation)
  }),
  get("getConfirmation", "/confirmations/:id", { params, success: Confirmation, error: ApiNotFound }),
  post("confirm", "/confirmations/:id/confirm", { params, success: Confirmation, error: changeErrors }),
  post("reject", "/confirmations/:id/reject", {
    params,
    payload: Schema.Struct({ note: Schema.optionalKey(Schema.String) }).pipe(documented("Rejection")),
    success: Confirmation,
    error: changeErrors
  })
) {}

export const ConfirmationsHandlers = answersOf(
  ConfirmationsApi,
  Effect.gen(function*() {
    const confirmations = yield* Confirmations
    return {
      listConfirmations: ({ query: { state, ...range } }) => listed(confirmations.list({ ...rangeOf(range), state })),
      getConfirmation: ({ params }) => confirmations.find(params.id),
      confirm: ({ params }, admin) => confirmations.confirm(admin, params.id),
      reject: ({ params, payload: { note = "" } }, admin) => confirmations.reject(admin, params.id, note)
    }
  })
)
