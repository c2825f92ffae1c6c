/**
 * `/api/admin/invites`: invitations to make an account.
 */
import { Effect, Redacted, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { InviteId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { Invite as InviteRow, Invites } from "../../identity/Invites.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { ApiNotFound, ApiRefused, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, jsonFields, NoContent, pageQuery, rangeOf } from "./ApiSchema.ts"

const Invite = Json(jsonFields(InviteRow.fields)).pipe(documented("Invite"))

const NewInvite = Json({
  note: Schema.optionalKey(Schema.String),
  email: Schema.optionalKey(Schema.NullOr(Schema.String)),
  usesMax: Schema.optionalKey(Schema.Int),
  validDays: Schema.optionalKey(Schema.Int)
}).pipe(
  documented("NewInvite", {
    description:
      "Left out: without a note, for any address, for one account, for 7 days. With an address it is for that one alone."
  })
)

/** The link is in this answer and nowhere else. */
const CreatedInvite = Json({ id: IdJson, url: Schema.String, expiresAt: MomentJson }).pipe(documented("CreatedInvite"))

const VALID_DAYS = 7

const { get, post } = HttpApiEndpoint

export class InvitesApi extends area(
  "invites",
  "Invitations",
  "Invitations to make an account."
).add(
  get("listInvites", "/invites", { query: pageQuery, success: itemsOf(Invite) }),
  post("createInvite", "/invites", { payload: NewInvite, success: CreatedInvite.pipe(created), error: ApiRefused }),
  post("revokeInvite", "/invites/:id/revoke", {
    params: { id: idJson(InviteId) },
    success: NoContent,
    error: ApiNotFound
  })
) {}

const fieldNames = { note: "note", email: "email", uses: "uses_max", days: "valid_days", many: "note" } as const

export const InvitesHandlers = answersOf(InvitesApi)(
  Effect.all({ invites: Invites, address: PublicAddress }),
  ({ address, invites }) => ({
    listInvites: ({ query }) => listed(invites.list(rangeOf(query))),
    createInvite: Effect.fnUntraced(
      function*({ payload: { email = null, note = "", usesMax = 1, validDays = VALID_DAYS } }, admin) {
        const { expiresAt, id, token } = yield* invites.create(admin, { email, note, usesMax, validDays })
        return { id, url: `${address.url()}/invite/${Redacted.value(token)}`, expiresAt }
      },
      Effect.catchTag("InviteRefused", ({ message, reason }) => Effect.fail(refusedField(fieldNames[reason], message)))
    ),
    revokeInvite: ({ params }, admin) => invites.revoke(admin, params.id)
  })
)
