/**
 * The parameters of a new Checkout Session that the simulated Stripe knows. Those that change what is paid, or what comes
 * back, are of a kind; the rest of Stripe's are taken and ignored.
 */
import type { Fields, Shape } from "./StripeShape.ts"

/** Known to Stripe, and of no meaning here. */
const ignored = (
  "after_expiration billing_address_collection branding_settings consent_collection currency custom_fields " +
  "custom_text customer customer_account customer_creation customer_update discounts integration_identifier " +
  "invoice_creation locale managed_payments name_collection optional_items origin_context " +
  "payment_method_collection payment_method_configuration payment_method_data payment_method_options " +
  "permissions phone_number_collection redirect_on_completion return_url saved_payment_method_options " +
  "setup_intent_data shipping_address_collection shipping_options submit_type subscription_data " +
  "tax_id_collection ui_mode wallet_options"
).split(" ")

const whatever = (names: ReadonlyArray<string>): { readonly [name: string]: Shape } =>
  Object.fromEntries(names.map((name) => [name, "whatever"]))

const priceData: Fields = {
  fields: {
    currency: "text",
    unit_amount: "integer",
    product_data: {
      fields: {
        name: "text",
        description: "text",
        metadata: "metadata",
        ...whatever(["images", "tax_code", "unit_label"])
      },
      required: ["name"]
    },
    ...whatever(["tax_behavior"])
  },
  required: ["currency", "unit_amount", "product_data"]
}

/** What a session in payment mode, with prices of its own, may say. */
export const sessionShape: Fields = {
  fields: {
    ...whatever(ignored),
    mode: "text",
    success_url: "address",
    cancel_url: "address",
    client_reference_id: "text",
    customer_email: "text",
    expires_at: "integer",
    metadata: "metadata",
    allow_promotion_codes: "boolean",
    automatic_tax: { fields: { enabled: "boolean", liability: "whatever" }, required: ["enabled"] },
    adaptive_pricing: { fields: { enabled: "boolean" } },
    payment_method_types: { list: "text" },
    allowed_payment_method_types: { list: "text" },
    excluded_payment_method_types: { list: "text" },
    expand: { list: "text" },
    line_items: {
      list: {
        fields: {
          price_data: priceData,
          quantity: "integer",
          metadata: "metadata",
          ...whatever(["adjustable_quantity"])
        },
        required: ["price_data", "quantity"]
      }
    },
    payment_intent_data: {
      fields: {
        metadata: "metadata",
        description: "text",
        ...whatever(["capture_method", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor"]),
        ...whatever(["statement_descriptor_suffix", "transfer_group"])
      }
    }
  },
  required: ["mode", "success_url", "line_items"]
}
