/**
 * How redemption codes refuse users and administrators. Users learn no more than the owner of a code may know. No text of a code
 * is in any of these.
 */
import { Schema } from "effect"
import { keyReused } from "../platform/Notes.ts"

/** No such code, or one that is disabled: which of them is not told. */
export class CodeUnknown extends Schema.TaggedError<CodeUnknown>()("CodeUnknown", {}) {
  override readonly message = "there is no such code"
}

export class CodeExpired extends Schema.TaggedError<CodeExpired>()("CodeExpired", {}) {
  override readonly message = "the code has expired"
}

/** As many users as may have redeemed it. */
export class CodeUsedUp extends Schema.TaggedError<CodeUsedUp>()("CodeUsedUp", {}) {
  override readonly message = "the code has been used"
}

/** The same user has redeemed it before. */
export class CodeRedeemed extends Schema.TaggedError<CodeRedeemed>()("CodeRedeemed", {}) {
  override readonly message = "you have redeemed this code already"
}

export const batchFields = ["name", "note", "amount", "plan", "group", "codes", "uses", "expiry", "key"] as const

/** Such a batch cannot be made, for what is wrong with these fields. Nothing was made. */
export class BatchRefused extends Schema.TaggedError<BatchRefused>()("BatchRefused", {
  fields: Schema.Array(Schema.Literals(batchFields))
}) {
  override readonly message = `a batch of codes cannot be created: check ${this.fields.join(", ")}`
}

/** The key was used for another batch. Nothing was made. */
export class BatchReused extends Schema.TaggedError<BatchReused>()("BatchReused", {}) {
  override readonly message = keyReused
}

export class BatchNotFound extends Schema.TaggedError<BatchNotFound>()("BatchNotFound", { batchId: Schema.BigInt }) {
  override readonly message = `there is no batch ${this.batchId}`
}

export class CodeNotFound extends Schema.TaggedError<CodeNotFound>()("CodeNotFound", { codeId: Schema.BigInt }) {
  override readonly message = `there is no code ${this.codeId}`
}

/** The codes' texts cannot be sealed, or not be opened any more; the reason says which key is missing. */
export class CodesUnreadable extends Schema.TaggedError<CodesUnreadable>()("CodesUnreadable", {
  reason: Schema.String
}) {
  override readonly message = this.reason
}
