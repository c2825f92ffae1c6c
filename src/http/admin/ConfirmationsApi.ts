/**
 * `/api/admin/confirmations`: what is above the limit of one person and waits for a second one.
 */
import { Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import {
  Confirmation as ConfirmationRow,
  Confirmations,
  confirmationStates
} from "../../confirmations/Confirmations.ts"
import { IdJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { ApiNotFound, changeErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { documented, itemsOf, jsonFields, pageQuery, rangeOf } from "./ApiSchema.ts"

const params = { id: IdJson }

const Confirmation = Json(jsonFields(Struct.omit(ConfirmationRow.fields, ["asked"]))).pipe(documented("Confirmation"))

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

export const ConfirmationsHandlers = answersOf(ConfirmationsApi)(Confirmations, (confirmations) => ({
  listConfirmations: ({ query: { state, ...range } }) => listed(confirmations.list({ ...rangeOf(range), state })),
  getConfirmation: ({ params }) => confirmations.find(params.id),
  confirm: ({ params }, admin) => confirmations.confirm(admin, params.id),
  reject: ({ params, payload: { note = "" } }, admin) => confirmations.reject(admin, params.id, note)
}))
