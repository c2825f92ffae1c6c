/**
 * What the errors of use cases are to a program: one table for the whole API. Errors that are about the fields of one endpoint
 * are said by its handler.
 */
import { Effect } from "effect"
import type { AdjustmentRefused } from "../../accounts/Adjustments.ts"
import type { WaiverRefused } from "../../accounts/DebtWaivers.ts"
import { formatUsd } from "../../domain/Money.ts"
import type { ResolutionRefused } from "../../orders/OrderError.ts"
import type { ConfirmationPending } from "../../platform/SecondPerson.ts"
import type { GrantRefused } from "../../subscriptions/Grants.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiUnavailable, refusedField } from "./ApiError.ts"
import { refuseAnnouncement, refuseGroup, refusePlan } from "./FieldRules.ts"

interface WithMessage {
  readonly message: string
}

const notFound = (message: string) => (_error: object) => Effect.fail(new ApiNotFound({ message }))

const noUser = notFound("There is no such user.")

/** It is in no state for this, or somebody else was first. */
const conflict = ({ message }: WithMessage) => Effect.fail(new ApiConflict({ message }))

const unavailable = ({ message }: WithMessage) => Effect.fail(new ApiUnavailable({ message }))

/** The database, or the accounts behind it, did not answer. */
export const unavailableNow = (error: object) =>
  Effect.andThen(
    Effect.logWarning("the administration's API was not answered", error),
    new ApiUnavailable({
      message: "The database did not answer. Nothing is known to have changed; please try again shortly."
    })
  )

const refused = (field: string, message: string) => Effect.fail(refusedField(field, message))

const refusedAs = ({ field, message }: WithMessage & { readonly field: string }) => refused(field, message)

/** What an administrator filled in wrongly, as the API calls it. */
const fieldNames = {
  amount: "amount_micros",
  note: "note",
  key: "idempotency_key",
  plan: "plan_code",
  user: "user",
  reference: "reference",
  resolution: "id"
} as const

const refusedByReason = ({ message, reason }: AdjustmentRefused | WaiverRefused | ResolutionRefused) =>
  refused(fieldNames[reason], message)

/** By the `_tag` of the error. */
export const refusals = {
  SqlError: unavailableNow,
  DatabaseUnavailable: unavailableNow,
  AccountUnavailable: unavailableNow,
  TooBusy: unavailableNow,
  MasterKeyInvalid: unavailable,
  CodesUnreadable: ({ reason }: { readonly reason: string }) => unavailable({ message: reason }),

  AnnouncementNotFound: notFound("There is no such announcement."),
  ApiKeyNotFound: notFound("There is no such key."),
  BatchNotFound: notFound("There is no such batch."),
  ChannelKeyNotFound: notFound("The channel has no such key."),
  ChannelKeyNeeded: () =>
    Effect.fail(
      new ApiConflict({ message: "It is the only key of the channel. Add another one first, or disable the channel." })
    ),
  ChannelNotFound: notFound("There is no such channel."),
  ChannelModelUnknown: notFound("The channel does not serve such a model."),
  CodeNotFound: notFound("There is no such code."),
  ConfirmationNotFound: notFound("There is no such confirmation."),
  EventNotFound: notFound("There is no such payment event."),
  GroupUnknown: notFound("There is no such group."),
  ImportNotFound: notFound("There is no such import, or it is no longer kept."),
  InviteNotFound: notFound("There is no such invitation."),
  ModelNotFound: notFound("There is no such model."),
  OrderNotFound: notFound("There is no such order."),
  PlanUnknown: notFound("There is no such plan."),
  RefundNotFound: notFound("There is no such refund of this order."),
  SubscriptionNotFound: notFound("The user has no such subscription."),
  UnknownAccount: noUser,
  UserNotFound: noUser,

  ActionRefused: conflict,
  AdjustmentReused: conflict,
  BatchReused: conflict,
  ChangedMeanwhile: conflict,
  ChannelConfigManaged: () => conflict({ message: "The channel is declared in config.yaml, and changed only there." }),
  ConfigManaged: conflict,
  ConfirmationRefused: conflict,
  EmailTaken: conflict,
  EventClosed: conflict,
  GrantReused: conflict,
  GroupExists: conflict,
  LastRoot: conflict,
  ModelExists: conflict,
  OrderClosed: conflict,
  OrderProcessing: conflict,
  OwnUser: conflict,
  PaymentUsed: conflict,
  PlanExists: conflict,
  RefundNotPossible: conflict,
  RefundReused: conflict,
  SecondFactorMissing: conflict,
  SubscriptionOver: () => conflict({ message: "The subscription is over already." }),
  UserDisabled: conflict,
  WaiverReused: conflict,

  AdjustmentRefused: refusedByReason,
  AnnouncementRefused: refuseAnnouncement,
  DebitRefused: ({ availableMicros }: { readonly availableMicros: bigint }) =>
    refused("amount_micros", `the balance is ${formatUsd(availableMicros)} USD`),
  DebtExceeded: ({ owedMicros }: { readonly owedMicros: bigint }) =>
    refused("amount_micros", `the debt is ${formatUsd(owedMicros)} USD`),
  FilterRefused: refusedAs,
  GroupRefused: refuseGroup,
  GroupNotOffered: () => refused("group_code", "is the code of a group that is not disabled"),
  GrantRefused: ({ message, reason }: GrantRefused) =>
    reason === "user" ? noUser({}) : refused(fieldNames[reason], message),
  InvalidEmail: () => refused("email", "is not an e-mail address"),
  PasswordRefused: ({ message }: WithMessage) => refused("password", message),
  PlanRefused: refusePlan,
  RangeRefused: refusedAs,
  ResolutionRefused: refusedByReason,
  WaiverRefused: refusedByReason,

  /** Nothing has changed yet: a second person decides. */
  ConfirmationPending: ({ expiresAt, id, message }: ConfirmationPending) =>
    Effect.fail(
      new ApiAccepted({ message, confirmation_id: id.toString(), expires_at: expiresAt.toISOString() })
    )
}
