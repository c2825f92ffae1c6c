/**
 * `/api/admin/confirmations`: what is above the limit of one person and waits for a second one.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { confirmationStates } from "../../confirmations/Confirmations.ts"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { confirmedActions } from "../../platform/SecondPerson.ts"
import { ApiNotFound, changeErrors } from "./ApiError.ts"
import { documented, itemsOf, pageQuery } from "./ApiSchema.ts"

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

export class ConfirmationsApi extends HttpApiGroup.make("confirmations").add(
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
).annotateMerge(OpenApi.annotations({
  title: "Confirmations",
  description:
    "Money moved by hand above `finance.confirm_above_usd` or `finance.confirm_above_cny` is answered 202 and waits here for seven " +
    "days: a second person confirms it, and it is done at once, or rejects it. Its requester can only withdraw it."
})) {}
