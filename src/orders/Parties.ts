/**
 * Who sold an order and who bought it, as its receipt names them. The seller is what the settings said when the order was placed, the
 * buyer what the account said when it was paid: both are kept with the order, so that no later change rewrites a receipt.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { SellerConfig, SiteConfig } from "../config/RealmsConfig.ts"
import type { OrderId } from "../domain/Ids.ts"
import { Json, Row } from "../domain/Row.ts"
import { oneRowOf } from "../postgres/Rows.ts"

const Said = Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("")))

/** Empty where nothing is said. */
const Seller = Json({ name: Said, address: Said, taxId: Said })
export interface Seller extends Schema.Schema.Type<typeof Seller> {}

const Buyer = Json({ email: Schema.String, companyName: Said, taxId: Said })
export interface Buyer extends Schema.Schema.Type<typeof Buyer> {}

const encodeSeller = Schema.encodeSync(Seller)

/** The JSON of it that orders keep. A seller without a name has that of the site. */
export const sellerJson = (
  { seller, site }: { readonly seller: SellerConfig; readonly site: Pick<SiteConfig, "name"> }
): string => JSON.stringify(encodeSeller({ ...seller, name: seller.name === "" ? site.name : seller.name }))

const Parties = Row({
  seller: Seller,
  /** Null: it was never paid. */
  buyer: Schema.NullOr(Buyer)
})
export interface Parties extends Schema.Schema.Type<typeof Parties> {}

export const partiesOf = (sql: SqlClient.SqlClient, id: OrderId): Effect.Effect<Parties, SqlError.SqlError> =>
  oneRowOf(Parties, sql`SELECT seller, buyer FROM orders WHERE id = ${id}`)
