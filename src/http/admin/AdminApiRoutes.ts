/**
 * The routes of the administration's API, its OpenAPI document at `/api/openapi.json` and a page to read it at `/api/docs`.
 */
import { Effect, Layer, SchemaIssue } from "effect"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import { AdminAccess } from "./AdminAccess.ts"
import { AdminApi, ReadableRequests } from "./AdminApi.ts"
import { ApiDocsPage } from "./ApiDocsPage.ts"
import { ApiBadRequest } from "./ApiError.ts"
import { AuditHandlers } from "./AuditHandlers.ts"
import { BillsHandlers } from "./BillsHandlers.ts"
import { ChannelsHandlers } from "./ChannelsHandlers.ts"
import { CodesHandlers } from "./CodesHandlers.ts"
import { ConfirmationsHandlers } from "./ConfirmationsHandlers.ts"
import { ExportsHandlers } from "./ExportsHandlers.ts"
import { KeysHandlers } from "./KeysHandlers.ts"
import { ModelsHandlers } from "./ModelsHandlers.ts"
import { OrdersHandlers } from "./OrdersHandlers.ts"
import { PaymentsHandlers } from "./PaymentsHandlers.ts"
import { PlansHandlers } from "./PlansHandlers.ts"
import { PriceImportsHandlers } from "./PriceImportsHandlers.ts"
import { SettingsHandlers } from "./SettingsHandlers.ts"
import { StatementsHandlers } from "./StatementsHandlers.ts"
import { UsageHandlers } from "./UsageHandlers.ts"
import { UsersHandlers } from "./UsersHandlers.ts"

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const keyOf = (part: unknown): string =>
  typeof part === "object" && part !== null && "key" in part ? String(part.key) : String(part)

/** Says what is expected and where, and never what was sent: it may be a secret. */
const ReadableRequestsLayer = HttpApiMiddleware.layerSchemaErrorTransform(ReadableRequests, (error) => {
  const problems: { [path: string]: string } = {}
  for (const issue of formatIssues(error.cause.issue).issues) {
    const path = (issue.path ?? []).map(keyOf).join(".")
    problems[path === "" ? error.kind.toLowerCase() : path] = "is not what is expected here; see /api/docs"
  }
  return Effect.fail(new ApiBadRequest({ message: "The request cannot be read.", problems }))
})

const Handlers = Layer.mergeAll(
  AuditHandlers,
  BillsHandlers,
  ChannelsHandlers,
  CodesHandlers,
  ConfirmationsHandlers,
  ExportsHandlers,
  KeysHandlers,
  ModelsHandlers,
  OrdersHandlers,
  PaymentsHandlers,
  PlansHandlers,
  PriceImportsHandlers,
  SettingsHandlers,
  StatementsHandlers,
  UsageHandlers,
  UsersHandlers
)

export const AdminApiRoutes = Layer.mergeAll(
  HttpApiBuilder.layer(AdminApi, { openapiPath: "/api/openapi.json" }).pipe(
    Layer.provide(Handlers),
    Layer.provide(Layer.mergeAll(AdminAccess.layer, ReadableRequestsLayer))
  ),
  ApiDocsPage
)
