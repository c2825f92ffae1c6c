/**
 * Why a plan is not made or changed. Nothing has changed when one of these is answered.
 */
import { Schema } from "effect"
import { PlanId } from "../domain/Ids.ts"
import { planFields } from "../domain/Plan.ts"

export class PlanUnknown extends Schema.TaggedError<PlanUnknown>()("PlanUnknown", { id: PlanId }) {
  override readonly message = `there is no plan ${this.id}`
}

export class PlanExists extends Schema.TaggedError<PlanExists>()("PlanExists", { code: Schema.String }) {
  override readonly message = `there is a plan ${this.code} already`
}

/** These fields are out of bounds. */
export class PlanRefused extends Schema.TaggedError<PlanRefused>()("PlanRefused", {
  fields: Schema.Array(Schema.Literals(planFields))
}) {}
