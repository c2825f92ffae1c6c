/**
 * What a user has said of whom receipts should name. Orders that are paid from then on have it; receipts that there are keep theirs.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type BuyerTerms, buyerTerms } from "../domain/BuyerTerms.ts"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"

/** What was filled in is out of bounds; names the fields. */
export class BuyerRefused extends Schema.TaggedError<BuyerRefused>()("BuyerRefused", {
  fields: Schema.Array(Schema.Literals(buyerTerms.names))
}) {
  override readonly message = `out of bounds: ${this.fields.join(", ")}`
}

const Found = Row(buyerTerms.row)

export class BuyerDetails extends Context.Service<BuyerDetails, {
  of(userId: UserId): Effect.Effect<BuyerTerms, DatabaseUnavailable>
  save(userId: UserId, terms: BuyerTerms): Effect.Effect<void, BuyerRefused | DatabaseUnavailable>
}>()("realms/identity/BuyerDetails") {
  static readonly layer = Layer.effect(BuyerDetails)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return BuyerDetails.of({
      of: (userId) =>
        oneRowOf(Found, sql`SELECT company_name, tax_id FROM users WHERE id = ${userId}`).pipe(orUnavailable),
      save: Effect.fn("BuyerDetails.save")(function*(userId: UserId, terms: BuyerTerms) {
        const fields = buyerTerms.wrong(terms)
        if (fields.length > 0) return yield* new BuyerRefused({ fields })
        yield* sql`UPDATE users SET ${sql.update(buyerTerms.toRow(terms))} WHERE id = ${userId}`
      }, orUnavailable)
    })
  }))
}
